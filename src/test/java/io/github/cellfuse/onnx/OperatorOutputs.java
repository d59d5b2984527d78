package io.github.cellfuse.onnx;

import java.util.Arrays;

/**
 * What a node of the operator LSTM gives, time-major whatever the node's layout.
 *
 * @param y {@code [T,D,N,H]}, or null where nobody wants it
 * @param h {@code [D,N,H]}, or null where nobody wants it
 * @param c {@code [D,N,H]}, or null where nobody wants it
 */
record OperatorOutputs(double[] y, double[] h, double[] c) {

    static OperatorOutputs zeros(int steps, int directions, int rows, int hidden) {
        int states = directions * rows * hidden;
        return new OperatorOutputs(new double[steps * states], new double[states], new double[states]);
    }

    /** One after the other, without those that nobody wants. */
    double[] all() {
        double[] all = {};
        for (double[] part : new double[][] {y, h, c}) {
            if (part != null) {
                int at = all.length;
                all = Arrays.copyOf(all, at + part.length);
                System.arraycopy(part, 0, all, at, part.length);
            }
        }
        return all;
    }

    /** Those of these that {@code other} has. */
    OperatorOutputs like(OperatorOutputs other) {
        return new OperatorOutputs(other.y == null ? null : y, other.h == null ? null : h, other.c == null ? null : c);
    }
}

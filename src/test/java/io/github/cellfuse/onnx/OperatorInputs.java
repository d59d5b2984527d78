package io.github.cellfuse.onnx;

/**
 * What a node of the operator LSTM is given, time-major whatever the node's layout.
 *
 * @param x {@code [T,N,I]}
 * @param lengths {@code [N]}, or null where not given
 * @param h0 {@code [D,N,H]}, or null where not given
 * @param c0 {@code [D,N,H]}, or null where not given
 */
record OperatorInputs(int steps, int rows, float[] x, int[] lengths, float[] h0, float[] c0) {

    int length(int row) {
        return lengths == null ? steps : lengths[row];
    }
}

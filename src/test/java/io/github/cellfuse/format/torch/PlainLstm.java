package io.github.cellfuse.format.torch;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;

/**
 * The equations of {@link LstmWeights} in double precision, one row at a time: shows that weights were put in their
 * places.
 */
final class PlainLstm {
    private PlainLstm() {}

    /** {@code x [T][I]} to the last layer's {@code y [T][D·P]}. */
    static double[][] run(LstmModel model, double[][] x) {
        double[][] sequence = x;
        for (int layer = 0; layer < model.layerCount(); layer++) {
            double[][] y = new double[x.length][model.outputSize()];
            for (int d = 0; d < model.last().directionCount(); d++) {
                run(
                        model.weights(layer, d),
                        sequence,
                        model.last().direction().isReverse(d),
                        y,
                        d * model.last().stateSize());
            }
            sequence = y;
        }
        return sequence;
    }

    private static void run(LstmWeights w, double[][] x, boolean reverse, double[][] y, int column) {
        double[] h = new double[w.outputSize()];
        double[] c = new double[w.hiddenSize()];
        float[] bias = w.bias();
        for (int k = 0; k < x.length; k++) {
            int t = reverse ? x.length - 1 - k : k;
            double[] a = new double[LstmWeights.GATES * w.hiddenSize()];
            for (int row = 0; row < a.length; row++) {
                a[row] = bias[row] + dot(w.input(), row, x[t]) + dot(w.recurrent(), row, h);
            }
            double[] out = new double[w.hiddenSize()];
            for (int u = 0; u < out.length; u++) {
                c[u] = sigmoid(gate(a, LstmWeights.FORGET_GATE, u)) * c[u]
                        + sigmoid(gate(a, LstmWeights.INPUT_GATE, u)) * Math.tanh(gate(a, LstmWeights.CANDIDATE, u));
                out[u] = sigmoid(gate(a, LstmWeights.OUTPUT_GATE, u)) * Math.tanh(c[u]);
            }
            for (int p = 0; p < h.length; p++) {
                h[p] = w.hasProjection() ? dot(w.projection().orElseThrow(), p, out) : out[p];
                y[t][column + p] = h[p];
            }
        }
    }

    private static double gate(double[] a, int gate, int unit) {
        return a[gate * (a.length / LstmWeights.GATES) + unit];
    }

    private static double dot(float[] matrix, int row, double[] vector) {
        double sum = 0;
        for (int k = 0; k < vector.length; k++) {
            sum += (double) matrix[row * vector.length + k] * vector[k];
        }
        return sum;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}

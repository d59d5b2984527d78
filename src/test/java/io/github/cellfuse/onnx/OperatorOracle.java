package io.github.cellfuse.onnx;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import java.util.Optional;

/**
 * ONNX's operator LSTM in double precision, one row after another and as its specification has the equations: shows
 * that what was read is in its place. Time-major, {@code x [T,N,I]}.
 */
final class OperatorOracle {
    private final int steps, rows;
    /** {@code [T][N][D·H]}, and for each direction {@code [N][H]}. */
    final double[][][] y, lastH, lastC;

    /** Runs a layer; lengths or states may be null. */
    OperatorOracle(LstmLayer layer, double[][][] x, int[] lengths, double[][][] h0, double[][][] c0) {
        steps = x.length;
        rows = x[0].length;
        int directions = layer.directionCount(), hidden = layer.hiddenSize();
        y = new double[steps][rows][directions * hidden];
        lastH = new double[directions][rows][];
        lastC = new double[directions][rows][];
        for (int d = 0; d < directions; d++) {
            for (int row = 0; row < rows; row++) {
                double[] h = h0 == null ? new double[hidden] : h0[d][row].clone();
                double[] c = c0 == null ? new double[hidden] : c0[d][row].clone();
                int length = lengths == null ? steps : lengths[row];
                for (int k = 0; k < length; k++) {
                    int t = layer.direction().isReverse(d) ? length - 1 - k : k;
                    h = step(layer.weights().get(d), x[t][row], h, c);
                    System.arraycopy(h, 0, y[t][row], d * hidden, hidden);
                }
                lastH[d][row] = h;
                lastC[d][row] = c;
            }
        }
    }

    /** The next hidden state; {@code c} becomes the next cell state. */
    private static double[] step(LstmWeights w, double[] x, double[] h, double[] c) {
        CellEquations e = w.equations();
        int hidden = w.hiddenSize();
        double[][] a = new double[LstmWeights.GATES][hidden];
        for (int gate = 0; gate < a.length; gate++) {
            for (int u = 0; u < hidden; u++) {
                int row = gate * hidden + u;
                a[gate][u] = bias(w.inputBias(), row)
                        + bias(w.recurrentBias(), row)
                        + dot(w.input(), row, x)
                        + dot(w.recurrent(), row, h);
            }
        }
        double[] next = new double[hidden];
        for (int u = 0; u < hidden; u++) {
            double i = function(e.gate(), clip(e, a[0][u] + peephole(w, 0, u, c[u])));
            double f = e.coupled() ? 1 - i : function(e.gate(), clip(e, a[1][u] + peephole(w, 1, u, c[u])));
            double g = function(e.candidate(), clip(e, a[2][u]));
            c[u] = f * c[u] + i * g;
            double o = function(e.gate(), clip(e, a[3][u] + peephole(w, 2, u, c[u])));
            next[u] = o * function(e.hidden(), c[u]);
        }
        return next;
    }

    private static double bias(Optional<float[]> bias, int k) {
        return bias.map(values -> (double) values[k]).orElse(0.0);
    }

    private static double peephole(LstmWeights w, int which, int unit, double c) {
        return w.hasPeepholes() ? w.peepholes().orElseThrow()[which * w.hiddenSize() + unit] * c : 0;
    }

    private static double clip(CellEquations e, double a) {
        return Math.max(-e.clip(), Math.min(e.clip(), a));
    }

    private static double dot(float[] matrix, int row, double[] vector) {
        double sum = 0;
        for (int k = 0; k < vector.length; k++) {
            sum += (double) matrix[row * vector.length + k] * vector[k];
        }
        return sum;
    }

    private static double function(Activation activation, double x) {
        double alpha = activation.alpha(), beta = activation.beta();
        return switch (activation.function()) {
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
            case RELU -> Math.max(0, x);
            case AFFINE -> alpha * x + beta;
            case LEAKY_RELU -> x >= 0 ? x : alpha * x;
            case THRESHOLDED_RELU -> x >= alpha ? x : 0;
            case SCALED_TANH -> alpha * Math.tanh(beta * x);
            case HARD_SIGMOID -> Math.max(0, Math.min(1, alpha * x + beta));
            case ELU -> x >= 0 ? x : alpha * Math.expm1(x);
            case SOFTSIGN -> x / (1 + Math.abs(x));
            case SOFTPLUS -> Math.log1p(Math.exp(x));
        };
    }

    /** {@code values [A,B,C]}, or with the first two axes exchanged, as arrays. */
    static double[][][] array(float[] values, int a, int b, int c, boolean isSwapped) {
        double[][][] result = isSwapped ? new double[b][a][c] : new double[a][b][c];
        for (int i = 0; i < a; i++) {
            for (int j = 0; j < b; j++) {
                for (int k = 0; k < c; k++) {
                    (isSwapped ? result[j][i] : result[i][j])[k] = values[(i * b + j) * c + k];
                }
            }
        }
        return result;
    }
}

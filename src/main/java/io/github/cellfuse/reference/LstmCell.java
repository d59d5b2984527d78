package io.github.cellfuse.reference;

import static io.github.cellfuse.LstmWeights.CANDIDATE;
import static io.github.cellfuse.LstmWeights.FORGET_GATE;
import static io.github.cellfuse.LstmWeights.INPUT_GATE;
import static io.github.cellfuse.LstmWeights.OUTPUT_GATE;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmWeights;

/**
 * One time step of one row in one direction of one layer, in double precision:
 *
 * <pre>
 *   i = σ(W_i·x + R_i·h + b_i)      f = σ(W_f·x + R_f·h + b_f)
 *   g = tanh(W_g·x + R_g·h + b_g)   o = σ(W_o·x + R_o·h + b_o)
 *   c' = f⊙c + i⊙g                  h' = o⊙tanh(c')      (projected: h' = S·(o⊙tanh(c')))
 * </pre>
 *
 * <p>{@link CellEquations} may select other functions, a clip and a coupled gate. Peepholes add {@code p_i·c},
 * {@code p_f·c} and {@code p_o·c'} to the arguments of i, f and o (Gers and Schmidhuber 2000).
 *
 * <p>Sources: Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000 and the
 * projection of Sak, Senior and Beaufays 2014, as documented for {@code torch.nn.LSTM}. The float32 weights become
 * doubles without loss. Immutable and thread safe.
 */
public final class LstmCell {
    private final LstmWeights weights;
    private final double[] bias;
    private final float[] projection, peepholes; // null: absent

    /**
     * Creates the cell of {@code weights}. Its bias is the float32 sum of the two biases, as the numerical contract
     * defines.
     */
    public LstmCell(LstmWeights weights) {
        this(weights, toDouble(weights.bias()));
    }

    /** Creates a cell with another bias {@code [4H]}: PyTorch in double precision adds its two biases in double. */
    LstmCell(LstmWeights weights, double[] bias) {
        this.weights = weights;
        this.bias = bias;
        projection = weights.projection().orElse(null);
        peepholes = weights.peepholes().orElse(null);
    }

    /**
     * The values that a step computed.
     *
     * @param i input gate {@code [H]}
     * @param f forget gate {@code [H]}
     * @param g candidate memory {@code [H]}
     * @param o output gate {@code [H]}
     * @param c cell state after the step {@code [H]}
     * @param m {@code o⊙tanh(c)}, {@code [H]}: the hidden state before the projection
     * @param h hidden state after the step {@code [P]}; the same array as {@code m} if there is no projection
     */
    public record Step(double[] i, double[] f, double[] g, double[] o, double[] c, double[] m, double[] h) {}

    /** Returns the parameters. */
    public LstmWeights weights() {
        return weights;
    }

    /** Returns the bias of gate {@code gate} of unit {@code unit}. */
    public double bias(int gate, int unit) {
        return bias[gate * weights.hiddenSize() + unit];
    }

    /**
     * Computes one step. Doesn't change its arguments.
     *
     * @param x features {@code [I]}
     * @param h hidden state before the step {@code [P]}
     * @param c cell state before the step {@code [H]}
     */
    public Step step(double[] x, double[] h, double[] c) {
        int units = weights.hiddenSize();
        double[] i = new double[units], f = new double[units], g = new double[units], o = new double[units];
        double[] nextC = new double[units], m = new double[units];
        for (int u = 0; u < units; u++) {
            CellEquations e = weights.equations();
            i[u] = apply(e.gate(), clip(preactivation(INPUT_GATE, u, x, h) + peeped(0, u, c[u])));
            f[u] = e.coupled()
                    ? 1 - i[u]
                    : apply(e.gate(), clip(preactivation(FORGET_GATE, u, x, h) + peeped(1, u, c[u])));
            g[u] = apply(e.candidate(), clip(preactivation(CANDIDATE, u, x, h)));
            nextC[u] = f[u] * c[u] + i[u] * g[u];
            o[u] = apply(e.gate(), clip(preactivation(OUTPUT_GATE, u, x, h) + peeped(2, u, nextC[u])));
            m[u] = o[u] * apply(e.hidden(), nextC[u]);
        }
        return new Step(i, f, g, o, nextC, m, projection == null ? m : project(m));
    }

    /** Returns {@code W·x + R·h + b} for one gate of one unit. */
    public double preactivation(int gate, int unit, double[] x, double[] h) {
        int row = gate * weights.hiddenSize() + unit;
        return bias[row] + dot(weights.input(), row, x) + dot(weights.recurrent(), row, h);
    }

    /** Returns the peephole weight of unit {@code unit} in gate i, f or o (0, 1 or 2); 0 without peepholes. */
    public double peep(int gate, int unit) {
        return peepholes == null ? 0 : peepholes[gate * weights.hiddenSize() + unit];
    }

    /** Returns what cell state {@code c} adds to gate i, f or o: without peepholes 0, even if {@code c} is infinite. */
    private double peeped(int gate, int unit, double c) {
        return peepholes == null ? 0 : peep(gate, unit) * c;
    }

    private double clip(double a) {
        double clip = weights.equations().clip();
        return Math.max(-clip, Math.min(clip, a));
    }

    private double[] project(double[] m) {
        double[] h = new double[weights.outputSize()];
        for (int p = 0; p < h.length; p++) {
            h[p] = dot(projection, p, m);
        }
        return h;
    }

    /** Returns the product of row {@code row} of a matrix with {@code vector}, which is as long as a row. */
    private static double dot(float[] matrix, int row, double[] vector) {
        double sum = 0;
        for (int k = 0; k < vector.length; k++) {
            sum += matrix[row * vector.length + k] * vector[k];
        }
        return sum;
    }

    /** Returns {@code 1 / (1 + e^-x)}. The exponential never has a positive argument, so it can't overflow. */
    public static double sigmoid(double x) {
        // StrictMath, here and below, gives the same results on every machine.
        double e = StrictMath.exp(-Math.abs(x));
        return x < 0 ? e / (1 + e) : 1 / (1 + e);
    }

    /** Returns the hyperbolic tangent. */
    public static double tanh(double x) {
        return StrictMath.tanh(x);
    }

    /** Returns {@code activation} of {@code x}, as the ONNX operators of these names define the functions. */
    public static double apply(Activation activation, double x) {
        double alpha = activation.alpha(), beta = activation.beta();
        return switch (activation.function()) {
            case SIGMOID -> sigmoid(x);
            case TANH -> tanh(x);
            case RELU -> Math.max(0, x);
            case AFFINE -> alpha * x + beta;
            case LEAKY_RELU -> x >= 0 ? x : alpha * x;
            case THRESHOLDED_RELU -> x >= alpha || Double.isNaN(x) ? x : 0;
            case SCALED_TANH -> alpha * tanh(beta * x);
            case HARD_SIGMOID -> Math.max(0, Math.min(1, alpha * x + beta));
            case ELU -> x >= 0 ? x : alpha * StrictMath.expm1(x);
            case SOFTSIGN -> Double.isInfinite(x) ? Math.signum(x) : x / (1 + Math.abs(x));
            case SOFTPLUS -> Math.max(0, x) + StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
        };
    }

    static double[] toDouble(float[] values) {
        double[] wide = new double[values.length];
        for (int k = 0; k < values.length; k++) {
            wide[k] = values[k];
        }
        return wide;
    }
}

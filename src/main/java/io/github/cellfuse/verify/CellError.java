package io.github.cellfuse.verify;

import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.reference.LstmCell;
import java.util.function.DoubleUnaryOperator;

/** The errors that one step of a cell inherits and adds; {@code docs/verify.md} has the derivation. Not thread safe. */
final class CellError {
    /**
     * How many times its root sum of squares a sum of independent errors may be off. A sum of independent errors of mean zero, each
     * bounded by {@code r_k}, is beyond {@code λ·sqrt(Σ r_k²)} with a probability of at most {@code 2·exp(-λ²/2)} (Hoeffding): 3e-14.
     */
    static final double LAMBDA = 8;

    private static final DoubleUnaryOperator SIGMOID = LstmCell::sigmoid, TANH = LstmCell::tanh;

    private final LstmCell cell;
    private final Arithmetic arithmetic;
    private final int[] cellGroups, hiddenGroups;
    private final ChainError chain;

    CellError(LstmCell cell, Arithmetic arithmetic) {
        this.cell = cell;
        this.arithmetic = arithmetic;
        this.cellGroups = IdenticalUnits.cells(cell.weights());
        this.hiddenGroups = IdenticalUnits.hidden(cell.weights());
        this.chain = new ChainError(arithmetic);
    }

    /** The errors of the states after a step. */
    record States(TensorErrors h, TensorErrors c) {}

    /** The errors after {@code step}, which computed from {@code x}, {@code h} and {@code c} with the errors given. */
    States step(
            double[] x, TensorErrors dx, double[] h, TensorErrors dh, double[] c, TensorErrors dc, LstmCell.Step step) {
        int units = cell.weights().hiddenSize();
        TensorErrors nextC = TensorErrors.none(units), m = TensorErrors.none(units, cellGroups);
        for (int u = 0; u < units; u++) {
            Preactivations values = preactivations(u, x, dx, h, dh);
            State worst = update(u, values.a, values.worst, c[u], dc.worst()[u], step, 1);
            State probable = update(u, values.a, values.probable, c[u], dc.probable()[u], step, LAMBDA);
            nextC.set(u, worst.c, probable.c);
            m.set(u, worst.m, probable.m);
        }
        return new States(cell.weights().hasProjection() ? project(step.m(), m) : m, nextC);
    }

    private record Preactivations(double[] a, double[] worst, double[] probable) {}

    /** The pre-activations of unit {@code u}, {@code [4]}, and their errors. */
    private Preactivations preactivations(int u, double[] x, TensorErrors dx, double[] h, TensorErrors dh) {
        LstmWeights w = cell.weights();
        Preactivations result = new Preactivations(
                new double[LstmWeights.GATES], new double[LstmWeights.GATES], new double[LstmWeights.GATES]);
        for (int gate = 0; gate < LstmWeights.GATES; gate++) {
            int row = gate * w.hiddenSize() + u;
            chain.begin(cell.bias(gate, u));
            chain.add(w.input(), row * w.inputSize(), x, dx);
            chain.add(w.recurrent(), row * w.outputSize(), h, dh);
            result.a[gate] = cell.preactivation(gate, u, x, h);
            result.worst[gate] = chain.worst();
            result.probable[gate] = chain.probable();
        }
        return result;
    }

    private record State(double c, double m) {}

    /** The cell of one unit: triangle inequality all the way, so it doesn't matter how the errors of a unit hang together. */
    private State update(int u, double[] a, double[] da, double c, double dc, LstmCell.Step step, double scale) {
        double i = step.i()[u], f = step.f()[u], g = step.g()[u], o = step.o()[u];
        double di = activation(SIGMOID, a[LstmWeights.INPUT_GATE], da[LstmWeights.INPUT_GATE], scale);
        double df = activation(SIGMOID, a[LstmWeights.FORGET_GATE], da[LstmWeights.FORGET_GATE], scale);
        double dg = activation(TANH, a[LstmWeights.CANDIDATE], da[LstmWeights.CANDIDATE], scale);
        double dout = activation(SIGMOID, a[LstmWeights.OUTPUT_GATE], da[LstmWeights.OUTPUT_GATE], scale);

        double nextC = step.c()[u];
        double written = product(i, di, g, dg);
        written += rounding(i * g, written, scale);
        double kept = product(f, df, c, dc);
        if (!arithmetic.fused()) {
            kept += rounding(f * c, kept, scale);
        }
        double dNextC = kept + written;
        dNextC += rounding(nextC, dNextC, scale);

        double squashed = activation(TANH, nextC, dNextC, scale);
        double dm = product(o, dout, LstmCell.tanh(nextC), squashed);
        dm += rounding(step.m()[u], dm, scale);
        return new State(dNextC, dm);
    }

    /** The projection {@code S·m}: a chain that begins at zero. */
    private TensorErrors project(double[] m, TensorErrors dm) {
        LstmWeights w = cell.weights();
        TensorErrors dh = TensorErrors.none(w.outputSize(), hiddenGroups);
        for (int p = 0; p < w.outputSize(); p++) {
            chain.begin(0);
            chain.add(w.projection(), p * w.hiddenSize(), m, dm);
            dh.set(p, chain.worst(), chain.probable());
        }
        return dh;
    }

    /** {@code |âb̂ - ab|}. */
    private static double product(double a, double da, double b, double db) {
        return Math.abs(a) * db + Math.abs(b) * da + da * db;
    }

    /** One rounding of {@code value}, which is off by up to {@code error} already. */
    private double rounding(double value, double error, double scale) {
        double magnitude = Math.abs(value) + error;
        return magnitude < Float.MAX_VALUE
                ? scale * (arithmetic.unitRoundoff() * magnitude + arithmetic.underflow())
                : Double.POSITIVE_INFINITY;
    }

    /**
     * What {@code f(a ± da)} is off from {@code f(a)}, and what computing it adds. The functions rise, so the ends of the interval
     * are the worst: no derivatives, no higher orders, and it saturates as the function does.
     */
    private double activation(DoubleUnaryOperator f, double a, double da, double scale) {
        double y = f.applyAsDouble(a);
        double spread = Math.max(f.applyAsDouble(a + da) - y, y - f.applyAsDouble(a - da));
        double ulp = Math.ulp((float) (Math.abs(y) + spread));
        return spread + scale * arithmetic.activationUlps() * ulp;
    }
}

package io.github.cellfuse.verify;

import static io.github.cellfuse.LstmWeights.CANDIDATE;
import static io.github.cellfuse.LstmWeights.FORGET_GATE;
import static io.github.cellfuse.LstmWeights.INPUT_GATE;
import static io.github.cellfuse.LstmWeights.OUTPUT_GATE;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.reference.LstmCell;

/** The errors that one step of a cell inherits and adds; {@code docs/verify.md} has the derivation. Not thread safe. */
final class CellError {
    /**
     * The factor by which a sum of independent errors may exceed its root sum of squares. A sum of independent errors
     * of mean zero, each bounded by {@code r_k}, exceeds {@code λ·sqrt(Σ r_k²)} with a probability of at most
     * {@code 2·exp(-λ²/2)} (Hoeffding): 3e-14.
     */
    static final double LAMBDA = 8;

    private final LstmCell cell;
    private final DeviceArithmetic arithmetic;
    private final int[] cellGroups, hiddenGroups;
    private final ChainError chain;

    CellError(LstmCell cell, DeviceArithmetic arithmetic) {
        this.cell = cell;
        this.arithmetic = arithmetic;
        this.cellGroups = IdenticalUnits.cells(cell.weights());
        this.hiddenGroups = IdenticalUnits.hidden(cell.weights());
        this.chain = new ChainError(arithmetic);
    }

    /** The errors of the states after a step. */
    record States(TensorErrors h, TensorErrors c) {}

    /**
     * Returns the errors after {@code step}, which was computed from {@code x}, {@code h} and {@code c} with the given
     * errors.
     */
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

    /** Returns the pre-activations {@code [4]} of unit {@code u} and their errors. */
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

    /**
     * Returns the errors of one unit's cell update. Only triangle inequalities are used, so correlations between the
     * errors of a unit don't matter.
     */
    private State update(int u, double[] a, double[] da, double c, double dc, LstmCell.Step step, double scale) {
        CellEquations equations = cell.weights().equations();
        double i = step.i()[u], f = step.f()[u], g = step.g()[u], o = step.o()[u];
        Value ai = peeped(a[INPUT_GATE], da[INPUT_GATE], cell.peep(0, u), c, dc, scale);
        double di = clipped(equations.gate(), ai.a, ai.da, scale);
        double df;
        if (equations.coupled()) {
            df = di + rounding(f, di, scale);
        } else {
            Value af = peeped(a[FORGET_GATE], da[FORGET_GATE], cell.peep(1, u), c, dc, scale);
            df = clipped(equations.gate(), af.a, af.da, scale);
        }
        double dg = clipped(equations.candidate(), a[CANDIDATE], da[CANDIDATE], scale);

        double nextC = step.c()[u];
        double written = product(i, di, g, dg);
        written += rounding(i * g, written, scale);
        double kept = product(f, df, c, dc);
        if (!arithmetic.fused()) {
            kept += rounding(f * c, kept, scale);
        }
        double dNextC = kept + written;
        dNextC += rounding(nextC, dNextC, scale);

        Value ao = peeped(a[OUTPUT_GATE], da[OUTPUT_GATE], cell.peep(2, u), nextC, dNextC, scale);
        double dout = clipped(equations.gate(), ao.a, ao.da, scale);
        Activation hidden = equations.hidden();
        double squashed = activation(hidden, nextC, nextC - dNextC, nextC + dNextC, scale);
        double dm = product(o, dout, LstmCell.apply(hidden, nextC), squashed);
        dm += rounding(step.m()[u], dm, scale);
        return new State(finiteOrInfinity(dNextC), finiteOrInfinity(dm));
    }

    private record Value(double a, double da) {}

    /** Returns a pre-activation with its peephole added: one more multiply-add of the chain. */
    private Value peeped(double a, double da, double p, double c, double dc, double scale) {
        if (!cell.weights().hasPeepholes()) {
            return new Value(a, da);
        }
        double sum = a + p * c, error = da + Math.abs(p) * dc;
        if (!arithmetic.fused()) {
            error += rounding(p * c, Math.abs(p) * dc, scale);
        }
        return new Value(sum, error + rounding(sum, error, scale));
    }

    /** Infinities have met, so nothing is known about the error. */
    private static double finiteOrInfinity(double error) {
        return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
    }

    /** Returns the errors of the projection {@code S·m}: chains that begin at zero. */
    private TensorErrors project(double[] m, TensorErrors dm) {
        LstmWeights w = cell.weights();
        float[] projection = w.projection().orElseThrow();
        TensorErrors dh = TensorErrors.none(w.outputSize(), hiddenGroups);
        for (int p = 0; p < w.outputSize(); p++) {
            chain.begin(0);
            chain.add(projection, p * w.hiddenSize(), m, dm);
            dh.set(p, chain.worst(), chain.probable());
        }
        return dh;
    }

    /** Returns the bound of {@code |âb̂ - ab|}. */
    private static double product(double a, double da, double b, double db) {
        return Math.abs(a) * db + Math.abs(b) * da + da * db;
    }

    /** Returns the error of one rounding of {@code value}, which already has an error of up to {@code error}. */
    private double rounding(double value, double error, double scale) {
        double magnitude = Math.abs(value) + error;
        return magnitude < Float.MAX_VALUE
                ? scale * (arithmetic.unitRoundoff() * magnitude + arithmetic.underflow())
                : Double.POSITIVE_INFINITY;
    }

    /**
     * Returns the error of {@code f} of a pre-activation, which is clipped first. Clipping is exact and never increases
     * an error.
     */
    private double clipped(Activation f, double a, double da, double scale) {
        double clip = cell.weights().equations().clip();
        return activation(f, within(a, clip), within(a - da, clip), within(a + da, clip), scale);
    }

    private static double within(double a, double clip) {
        return Math.max(-clip, Math.min(clip, a));
    }

    /**
     * Returns the largest difference between {@code f(a)} and {@code f} of any value from {@code low} to {@code high},
     * plus the error of computing it. Between the points where they may turn or jump, the functions are monotonic, so
     * the ends are the worst case. No derivatives or higher orders are needed, and the error saturates as the function
     * does.
     */
    private double activation(Activation f, double a, double low, double high, double scale) {
        double y = LstmCell.apply(f, a);
        double spread = Math.max(Math.abs(LstmCell.apply(f, low) - y), Math.abs(LstmCell.apply(f, high) - y));
        for (double turn : new double[] {0, f.alpha()}) {
            if (low <= turn && turn <= high) {
                spread = Math.max(spread, Math.abs(LstmCell.apply(f, turn) - y));
                spread = f.function() == ActivationFunction.THRESHOLDED_RELU ? Math.max(spread, Math.abs(y)) : spread;
            }
        }
        double ulp = Math.ulp((float) (Math.abs(y) + spread));
        return spread + scale * ulps(f) * ulp;
    }

    /** A function times α may have twice the error in units in the last place, plus the roundings of the products. */
    private double ulps(Activation f) {
        boolean scaled = f.function() == ActivationFunction.SCALED_TANH || f.function() == ActivationFunction.ELU;
        return scaled ? 2 * arithmetic.activationUlps() + 2 : arithmetic.activationUlps();
    }
}

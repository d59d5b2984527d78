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

    private final TransposedWeights weights;
    private final LstmCell cell;
    private final DeviceArithmetic arithmetic;
    private final ChainErrors gates, projected;

    CellError(TransposedWeights weights, DeviceArithmetic arithmetic) {
        this.weights = weights;
        this.cell = weights.cell();
        this.arithmetic = arithmetic;
        gates = new ChainErrors(arithmetic, LstmWeights.GATES * cell.weights().hiddenSize());
        projected = new ChainErrors(
                arithmetic, weights.projection() == null ? 0 : cell.weights().outputSize());
    }

    /**
     * Returns the errors of {@code step}, which was computed from {@code x}, {@code h} and {@code c} with the given
     * errors.
     */
    StepErrors step(
            double[] x, TensorErrors dx, double[] h, TensorErrors dh, double[] c, TensorErrors dc, LstmCell.Step step) {
        int units = cell.weights().hiddenSize();
        StepErrors errors = StepErrors.none(units, weights.cellGroups());
        preactivations(x, dx, h, dh, errors);
        for (int u = 0; u < units; u++) {
            Unit worst = update(u, errors, errors.da().worst(), c[u], dc.worst()[u], step, 1);
            Unit probable = update(u, errors, errors.da().probable(), c[u], dc.probable()[u], step, LAMBDA);
            errors.set(u, worst, probable);
        }
        return cell.weights().hasProjection() ? errors.withHidden(project(step.m(), errors.m())) : errors;
    }

    /** Sets the pre-activations {@code [4H]} and their errors. */
    private void preactivations(double[] x, TensorErrors dx, double[] h, TensorErrors dh, StepErrors errors) {
        int units = cell.weights().hiddenSize();
        gates.begin();
        for (int row = 0; row < LstmWeights.GATES * units; row++) {
            gates.start(row, cell.bias(row / units, row % units));
        }
        gates.add(weights.input(), x, dx);
        gates.add(weights.recurrent(), h, dh);
        for (int row = 0; row < LstmWeights.GATES * units; row++) {
            errors.a()[row] = gates.sum(row);
            errors.da().set(row, gates.worst(row), gates.probable(row));
        }
    }

    /** The errors of one unit after a step: those of the gates, of the cell state and of {@code o⊙tanh(c)}. */
    record Unit(double i, double f, double g, double o, double c, double m) {}

    /**
     * Returns the errors of one unit's cell update. Only triangle inequalities are used, so correlations between the
     * errors of a unit don't matter.
     *
     * @param das the errors of the pre-activations {@code [4H]}
     */
    private Unit update(int u, StepErrors errors, double[] das, double c, double dc, LstmCell.Step step, double scale) {
        CellEquations equations = cell.weights().equations();
        int units = cell.weights().hiddenSize();
        double[] a = new double[LstmWeights.GATES], da = new double[LstmWeights.GATES];
        for (int gate = 0; gate < LstmWeights.GATES; gate++) {
            a[gate] = errors.a()[gate * units + u];
            da[gate] = das[gate * units + u];
        }
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
        return new Unit(di, df, dg, dout, finiteOrInfinity(dNextC), finiteOrInfinity(dm));
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
        int outputs = cell.weights().outputSize();
        TensorErrors dh = TensorErrors.none(outputs, weights.hiddenGroups());
        projected.begin();
        projected.add(weights.projection(), m, dm);
        for (int p = 0; p < outputs; p++) {
            dh.set(p, projected.worst(p), projected.probable(p));
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

package io.github.cellfuse.onnx;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.reference.LstmCell;
import java.util.List;
import java.util.Optional;

/**
 * The operator LSTM in double precision, as its specification has it and with ONNX Runtime's rule for rows of length 0,
 * and beside every value how far float32 may be from it: a running error analysis, by the triangle inequality all the
 * way.
 *
 * <ul>
 *   <li>A pre-activation is a sum of n terms in an order that nobody promises: at most {@code (n + 4)·2^-24·Σ|term|},
 *       the biases' and the peephole's additions among the n, and what the state that goes in was off, times its
 *       weight.
 *   <li>A function moves by what it moves between the ends of its argument's range, which is exact where it is steep,
 *       flat or jumps, and adds its own error ({@link #own}).
 *   <li>The cell's products and sums: one rounding each, and what their factors are off.
 * </ul>
 *
 * <p>So the bound is about 1e-6 after one step, whatever the functions, and grows with the steps only as fast as the
 * weights and the functions let an error grow.
 */
final class OperatorAnalysis {
    /** Half an ulp of 1. */
    private static final double U = 0x1p-24;

    /** Up to here e^x is surely a float32; from 88.7 on it isn't, and ONNX Runtime's Softplus is infinite. */
    private static final double SOFTPLUS_LIMIT = 88;

    private final LstmLayer layer;
    private final OperatorInputs given;
    private final OperatorMistake mistake;
    private final int directions, hidden;
    /** What the operator gives, and how far from it float32 may be. */
    final OperatorOutputs exact, bound;

    /** {@code [T][D][N][H]}: the states before each step, rounded to float32. */
    private final float[][][][] hBefore, cBefore;

    OperatorAnalysis(LstmLayer layer, OperatorInputs given, OperatorMistake mistake) {
        this.layer = mistake.in(layer);
        this.given = given;
        this.mistake = mistake;
        directions = layer.directionCount();
        hidden = layer.hiddenSize();
        exact = OperatorOutputs.zeros(given.steps(), directions, given.rows(), hidden);
        bound = OperatorOutputs.zeros(given.steps(), directions, given.rows(), hidden);
        hBefore = new float[given.steps()][directions][given.rows()][];
        cBefore = new float[given.steps()][directions][given.rows()][];
        for (int d = 0; d < directions; d++) {
            for (int row = 0; row < given.rows(); row++) {
                run(d, row);
            }
        }
    }

    /** Values with what they may be off. */
    private record Values(double[] value, double[] error) {
        static Values zeros(int count) {
            return new Values(new double[count], new double[count]);
        }

        static Values exact(float[] values, int from, int count) {
            Values result = zeros(count);
            for (int k = 0; k < count; k++) {
                result.value[k] = values[from + k];
            }
            return result;
        }

        float[] rounded() {
            float[] result = new float[value.length];
            for (int k = 0; k < result.length; k++) {
                result[k] = (float) value[k];
            }
            return result;
        }

        void put(OperatorOutputs values, OperatorOutputs errors, boolean isC, int at) {
            System.arraycopy(value, 0, isC ? values.c() : values.h(), at, value.length);
            System.arraycopy(error, 0, isC ? errors.c() : errors.h(), at, value.length);
        }
    }

    private record State(Values h, Values c) {}

    private void run(int d, int row) {
        int place = (d * given.rows() + row) * hidden, length = given.length(row);
        State state = new State(
                given.h0() == null ? Values.zeros(hidden) : Values.exact(given.h0(), place, hidden),
                given.c0() == null ? Values.zeros(hidden) : Values.exact(given.c0(), place, hidden));
        if (length == 0 && mistake != OperatorMistake.EMPTY_ROW_KEEPS_ITS_STATE) {
            state = new State(Values.zeros(hidden), Values.zeros(hidden));
        }
        boolean isReverse = layer.direction().isReverse(d);
        int ran = mistake == OperatorMistake.STATES_AFTER_THE_PADDING && length > 0 ? given.steps() : length;
        int from = mistake == OperatorMistake.REVERSE_READS_THE_PADDING ? given.steps() : ran;
        for (int k = 0; k < ran; k++) {
            int t = isReverse ? from - 1 - k : k;
            hBefore[t][d][row] = state.h.rounded();
            cBefore[t][d][row] = state.c.rounded();
            int inputs = layer.inputSize();
            state = step(
                    layer.weights().get(d),
                    Values.exact(given.x(), (t * given.rows() + row) * inputs, inputs).value,
                    state);
            if (t < length) {
                putY(mistake == OperatorMistake.REVERSE_Y_IN_ITS_OWN_ORDER ? k : t, d, row, state.h);
            }
        }
        for (int t = length; mistake == OperatorMistake.Y_GOES_ON_IN_THE_PADDING && t < given.steps(); t++) {
            putY(t, d, row, state.h);
        }
        state.h.put(exact, bound, false, place);
        state.c.put(exact, bound, true, place);
    }

    private void putY(int t, int d, int row, Values h) {
        int at = ((t * directions + d) * given.rows() + row) * hidden;
        System.arraycopy(h.value, 0, exact.y(), at, hidden);
        System.arraycopy(h.error, 0, bound.y(), at, hidden);
    }

    /**
     * Every step of every row as a sequence of its own, from the state that the one before gave: nothing that an
     * earlier step was off is inherited.
     */
    OperatorInputs singleSteps() {
        int inputs = layer.inputSize(), steps = 0, at = 0;
        for (int row = 0; row < given.rows(); row++) {
            steps += given.length(row);
        }
        float[] x = new float[steps * inputs];
        float[] h0 = new float[directions * steps * hidden], c0 = h0.clone();
        for (int row = 0; row < given.rows(); row++) {
            for (int t = 0; t < given.length(row); t++, at++) {
                System.arraycopy(given.x(), (t * given.rows() + row) * inputs, x, at * inputs, inputs);
                for (int d = 0; d < directions; d++) {
                    System.arraycopy(hBefore[t][d][row], 0, h0, (d * steps + at) * hidden, hidden);
                    System.arraycopy(cBefore[t][d][row], 0, c0, (d * steps + at) * hidden, hidden);
                }
            }
        }
        return new OperatorInputs(1, steps, x, null, h0, c0);
    }

    private State step(LstmWeights w, double[] x, State before) {
        CellEquations e = w.equations();
        Values h = Values.zeros(hidden), c = Values.zeros(hidden);
        boolean isOtherWay = e.coupled() && mistake == OperatorMistake.COUPLED_THE_OTHER_WAY;
        for (int u = 0; u < hidden; u++) {
            double c0 = before.c.value[u], dc0 = before.c.error[u];
            Number i = function(e.gate(), preactivation(w, LstmWeights.INPUT_GATE, u, x, before.h, 0, c0, dc0));
            Number f = function(e.gate(), preactivation(w, LstmWeights.FORGET_GATE, u, x, before.h, 1, c0, dc0));
            if (isOtherWay) {
                i = f.from1();
            } else if (e.coupled()) {
                f = i.from1();
            }
            Number g = function(e.candidate(), preactivation(w, LstmWeights.CANDIDATE, u, x, before.h, -1, 0, 0));
            Number c1 = f.times(new Number(c0, dc0)).plus(i.times(g));
            boolean isOld = mistake == OperatorMistake.OUTPUT_PEEPHOLE_SEES_THE_OLD_STATE;
            Number seen = isOld ? new Number(c0, dc0) : c1;
            Number o = function(
                    e.gate(), preactivation(w, LstmWeights.OUTPUT_GATE, u, x, before.h, 2, seen.value, seen.error));
            double clip = mistake == OperatorMistake.CLIPPED_CELL_STATE ? e.clip() : CellEquations.NO_CLIP;
            Number h1 = o.times(function(e.hidden(), new Range(c1, clip)));
            c.value[u] = c1.value;
            c.error[u] = c1.error;
            h.value[u] = h1.value;
            h.error[u] = h1.error;
        }
        return new State(h, c);
    }

    /** A value and what it may be off. */
    private record Number(double value, double error) {
        Number {
            // Nothing is known of what infinities have met in.
            error = Double.isNaN(error) || !(Math.abs(value) + error < Float.MAX_VALUE)
                    ? Double.POSITIVE_INFINITY
                    : error;
        }

        Number times(Number other) {
            double product = value * other.value;
            return new Number(
                    product,
                    rounded(
                            product,
                            Math.abs(value) * other.error + Math.abs(other.value) * error + error * other.error));
        }

        Number plus(Number other) {
            return new Number(value + other.value, rounded(value + other.value, error + other.error));
        }

        Number from1() {
            return new Number(1 - value, rounded(1 - value, error));
        }

        private static double rounded(double value, double error) {
            return error + U * (Math.abs(value) + error) + Float.MIN_VALUE;
        }
    }

    /**
     * A number and the ends of what it may be, each kept within a clip. Unknown where it may be NaN, which no clip
     * keeps anywhere.
     */
    private record Range(double value, double low, double high, boolean isKnown) {
        Range(Number a, double clip) {
            this(
                    within(a.value, clip),
                    within(a.value - a.error, clip),
                    within(a.value + a.error, clip),
                    a.error < Double.POSITIVE_INFINITY);
        }

        private static double within(double a, double clip) {
            return Math.max(-clip, Math.min(clip, a));
        }
    }

    private Range preactivation(
            LstmWeights w, int gate, int unit, double[] x, Values h, int peephole, double c, double dc) {
        int row = gate * hidden + unit;
        double sum = 0, magnitude = 0, inherited = 0;
        for (Optional<float[]> bias : List.of(w.inputBias(), w.recurrentBias())) {
            double value = bias.map(values -> values[row]).orElse(0f);
            sum += value;
            magnitude += Math.abs(value);
        }
        for (int k = 0; k < x.length; k++) {
            double term = w.input()[row * x.length + k] * x[k];
            sum += term;
            magnitude += Math.abs(term);
        }
        for (int k = 0; k < hidden; k++) {
            double weight = w.recurrent()[row * hidden + k];
            sum += weight * h.value[k];
            magnitude += Math.abs(weight * h.value[k]);
            inherited += Math.abs(weight) * h.error[k];
        }
        if (peephole >= 0 && w.hasPeepholes()) {
            double weight = w.peepholes().orElseThrow()[peephole * hidden + unit];
            sum += weight * c;
            magnitude += Math.abs(weight * c);
            inherited += Math.abs(weight) * dc;
        }
        double error = inherited + (x.length + hidden + 4) * U * (magnitude + inherited) + Float.MIN_VALUE;
        return new Range(new Number(sum, error), w.equations().clip());
    }

    /** The functions rise or fall between the places where they may turn or jump, so the ends are the worst. */
    private static Number function(Activation f, Range a) {
        if (!a.isKnown()) {
            return new Number(LstmCell.apply(f, a.value), Double.POSITIVE_INFINITY);
        }
        double y = LstmCell.apply(f, a.value);
        double spread = Math.max(Math.abs(LstmCell.apply(f, a.low) - y), Math.abs(LstmCell.apply(f, a.high) - y));
        for (double turn : new double[] {0, f.alpha()}) {
            if (a.low <= turn && turn <= a.high) {
                spread = Math.max(spread, Math.abs(LstmCell.apply(f, turn) - y));
                // It jumps there, and ONNX Runtime's takes the other side.
                spread = f.function() == ActivationFunction.THRESHOLDED_RELU ? Math.max(spread, Math.abs(y)) : spread;
            }
        }
        return new Number(y, spread + own(f, Math.max(Math.abs(a.low), Math.abs(a.high)), Math.abs(y) + spread));
    }

    /**
     * What ONNX Runtime's function is itself off, by the formulas that it has; {@link OnnxOperatorTest} measures that
     * it isn't more.
     *
     * @param a the largest argument's size
     * @param y the largest result's size
     */
    static double own(Activation f, double a, double y) {
        double alpha = Math.abs(f.alpha()), beta = Math.abs(f.beta());
        return switch (f.function()) {
            // Rational approximations, their arguments kept within 18 and 9.
            case SIGMOID, TANH -> 4 * 0x1p-23;
            // α·x + β in two roundings.
            case AFFINE, HARD_SIGMOID -> 2 * U * (alpha * a + beta + y);
            // 2σ(2x) - 1, with the σ of the textbook.
            case SCALED_TANH -> alpha * (8 * U + 4 * U * Math.min(1, beta * a));
            // e^x - 1 is off by as much as e^x.
            case ELU -> alpha * 4 * U + U * y;
            // ln(1 + e^x), too, as it is written.
            case SOFTPLUS -> a > SOFTPLUS_LIMIT ? Double.POSITIVE_INFINITY : 4 * U * (1 + y);
            case SOFTSIGN, LEAKY_RELU, RELU, THRESHOLDED_RELU -> 4 * U * y;
        };
    }
}

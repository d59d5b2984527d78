package io.github.cellfuse.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.PyTorchCase;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.reference.ReferenceEngine;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorBoundTest {
    static Stream<PyTorchCase> cases() {
        return PyTorchCase.all().stream();
    }

    /** What {@code java} reached of its bounds. */
    private record Reached(double worst, double probable, double bound, double largestBound) {
        static final Reached NOTHING = new Reached(0, 0, 0, 0);

        Reached and(Reached other) {
            return new Reached(
                    Math.max(worst, other.worst),
                    Math.max(probable, other.probable),
                    Math.max(bound, other.bound),
                    Math.max(largestBound, other.largestBound));
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%.3f of the worst case, %.3f of the probable, %.3f of the smaller; largest bound %.1e",
                    worst,
                    probable,
                    bound,
                    largestBound);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0.1f, 0.5f, 1, 4})
    void javaStaysWithinBothBounds(float scale) {
        Reached all = Reached.NOTHING;
        for (int n = 0; n < 40; n++) {
            RandomLstm random = RandomLstm.any(TestEngines.seed(0) + n);
            Reached reached = reached(scaled(random.model(), scale), random.input());
            assertTrue(reached.worst < 1 && reached.probable < 1, random + " scale " + scale + ": " + reached);
            all = all.and(reached);
        }
        // A bound that no one comes near proves nothing.
        assertTrue(all.bound > 0.05, all.toString());
    }

    /**
     * Identical units make identical errors, which don't cancel; taken for independent they exceed the bound by far.
     */
    @ParameterizedTest
    @ValueSource(ints = {7, 64, 207})
    void theProbableBoundDoesNotTakeIdenticalUnitsForIndependent(int units) {
        Random random = new Random(units);
        float w = (float) (1 / Math.sqrt(units));
        LstmModel model = LstmModelOf.constant(units, w);
        Reached reached = reached(model, LstmInput.batchMajor(RandomLstm.values(random, 4 * 100, 2), 4, 100));
        assertTrue(reached.worst < 1 && reached.probable < 1, reached.toString());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void javaIsWithinTheBoundOfPyTorchInDouble(PyTorchCase c) {
        try (ReferenceEngine reference = new ReferenceEngine(c.model(), EngineOptions.DEFAULT);
                LstmEngine java = LstmEngine.open(Device.JAVA, c.model())) {
            ErrorBound bound = ErrorBound.of(reference.newSession(), c.input(), DeviceArithmetic.EXACT);
            LstmOutput output = java.newSession().run(c.input());
            assertWithin("y", c.y64(), bound.exact().y(), bound.y(), output.y());
            assertWithin(
                    "h_n",
                    c.h64(),
                    bound.exact().h(),
                    bound.h(),
                    FloatBuffer.wrap(output.finalState().h()));
            assertWithin(
                    "c_n",
                    c.c64(),
                    bound.exact().c(),
                    bound.c(),
                    FloatBuffer.wrap(output.finalState().c()));
        }
    }

    private static void assertWithin(
            String what, double[] pytorch, double[] exact, TensorErrors errors, FloatBuffer found) {
        for (int k = 0; k < pytorch.length; k++) {
            // PyTorch's model differs from ours in one thing, a float32 rounding of the bias, which the reference has
            // too.
            double bias = Math.abs(exact[k] - pytorch[k]);
            assertTrue(bias < 1e-5, what + "[" + k + "]: " + bias);
            double error = Math.abs(found.get(k) - pytorch[k]);
            assertTrue(error <= errors.bound(k) + bias, what + "[" + k + "]: " + error + " > " + errors.bound(k));
        }
    }

    @Test
    void nothingRoundsWhereThereIsNoStep() {
        RandomLstm random = RandomLstm.of(3);
        LstmInput input = random.input();
        ErrorBound bound = bound(random.model(), input.withLengths(new int[input.rows()]));
        for (TensorErrors errors : List.of(bound.y(), bound.h(), bound.c())) {
            for (int k = 0; k < errors.worst().length; k++) {
                assertEquals(0, errors.bound(k));
            }
        }
    }

    /** With one unit and one step everything can be written down. */
    @Test
    void oneStepOfOneUnitByHand() {
        LstmModel model = LstmModelOf.constant(1, 0.5f);
        ErrorBound bound = bound(model, LstmInput.batchMajor(new float[] {2}, 1, 1));
        // Pre-activation 0·… chain: 0 + 2·½ = 1, then + 0·½: two roundings of 1.
        double u = 0x1p-24, a = 1, da = 2 * u;
        double i = 1 / (1 + Math.exp(-a)), di = i * (1 - i) * da + 2 * 0x1p-24;
        double g = Math.tanh(a), dg = (1 - g * g) * da + 2 * 0x1p-24;
        // i in [½,1) and g in [½,1): their ulp is 2^-24.
        double p = i * g, dp = i * dg + g * di + u * p;
        double c = p, dc = dp + u * c;
        assertEquals(dc, bound.c().worst()[0], 1e-5 * dc);
        double t = Math.tanh(c), dt = (1 - t * t) * dc + 2 * 0x1p-25 * (t >= 0.5 ? 2 : 1);
        double dh = i * dt + t * di + u * i * t;
        assertEquals(dh, bound.h().worst()[0], 1e-5 * dh);
    }

    @Test
    void anOverflowOnTheWayLeavesNothingToSay() {
        LstmModel model = LstmModelOf.constant(2, 3e38f);
        ErrorBound bound = bound(model, LstmInput.batchMajor(new float[] {100}, 1, 1));
        // The gates saturate either way, so c is bounded by what gates can be.
        assertTrue(bound.c().bound(0) >= 1, () -> "" + bound.c().bound(0));
    }

    @Test
    void theRelaxedBoundIsWider() {
        RandomLstm random = RandomLstm.of(11);
        try (ReferenceEngine reference = new ReferenceEngine(random.model(), EngineOptions.DEFAULT)) {
            TensorErrors exact = ErrorBound.of(reference.newSession(), random.input(), DeviceArithmetic.EXACT)
                    .y();
            TensorErrors relaxed = ErrorBound.of(reference.newSession(), random.input(), DeviceArithmetic.RELAXED)
                    .y();
            for (int k = 0; k < exact.worst().length; k++) {
                assertTrue(relaxed.bound(k) >= exact.bound(k));
            }
        }
    }

    private static ErrorBound bound(LstmModel model, LstmInput input) {
        try (ReferenceEngine reference = new ReferenceEngine(model, EngineOptions.DEFAULT)) {
            return ErrorBound.of(reference.newSession(), input, DeviceArithmetic.EXACT);
        }
    }

    private static Reached reached(LstmModel model, LstmInput input) {
        ErrorBound bound = bound(model, input);
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model)) {
            LstmOutput output = java.newSession().run(input);
            return reached(bound.exact().y(), bound.y(), output.y())
                    .and(reached(
                            bound.exact().h(),
                            bound.h(),
                            FloatBuffer.wrap(output.finalState().h())))
                    .and(reached(
                            bound.exact().c(),
                            bound.c(),
                            FloatBuffer.wrap(output.finalState().c())));
        }
    }

    private static Reached reached(double[] exact, TensorErrors errors, FloatBuffer found) {
        Reached all = Reached.NOTHING;
        for (int k = 0; k < exact.length; k++) {
            double error = Math.abs(found.get(k) - exact[k]);
            DoubleUnaryOperator share = bound -> error == 0 ? 0 : error / bound;
            all = all.and(new Reached(
                    share.applyAsDouble(errors.worst()[k]),
                    share.applyAsDouble(errors.probable()[k]),
                    share.applyAsDouble(errors.bound(k)),
                    errors.bound(k)));
        }
        return all;
    }

    private static LstmModel scaled(LstmModel model, float scale) {
        return new LstmModel(model.layers().stream()
                .map(layer -> new LstmLayer(
                        layer.direction(),
                        layer.weights().stream().map(w -> scaled(w, scale)).toList()))
                .toList());
    }

    private static LstmWeights scaled(LstmWeights w, float scale) {
        LstmWeights.Builder scaled =
                w.toBuilder().input(scaled(w.input(), scale)).recurrent(scaled(w.recurrent(), scale));
        w.inputBias().ifPresent(bias -> scaled.inputBias(scaled(bias, scale)));
        w.recurrentBias().ifPresent(bias -> scaled.recurrentBias(scaled(bias, scale)));
        w.peepholes().ifPresent(peepholes -> scaled.peepholes(scaled(peepholes, scale)));
        return scaled.build();
    }

    private static float[] scaled(float[] values, float scale) {
        float[] result = new float[values.length];
        for (int k = 0; k < values.length; k++) {
            result[k] = scale * values[k];
        }
        return result;
    }

    /** Models whose units are all the same. */
    private static final class LstmModelOf {
        static LstmModel constant(int units, float weight) {
            float[] input = new float[4 * units], recurrent = new float[4 * units * units];
            java.util.Arrays.fill(input, weight);
            java.util.Arrays.fill(recurrent, weight);
            return new LstmModel(
                    Direction.FORWARD,
                    List.of(List.of(LstmWeights.builder(1, units)
                            .input(input)
                            .recurrent(recurrent)
                            .build())));
        }
    }
}

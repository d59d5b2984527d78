package io.github.cellfuse.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.PyTorchCase;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.SessionContract;
import io.github.cellfuse.Tier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReferenceEngineTest extends SessionContract {
    @Override
    protected Device device() {
        return Device.REFERENCE;
    }

    static Stream<PyTorchCase> cases() {
        return PyTorchCase.all().stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithPyTorchInDouble(PyTorchCase c) {
        // PyTorch adds its two biases in double, the contract in float32: the one difference between the two models.
        try (ReferenceEngine engine =
                new ReferenceEngine(c.model(), EngineOptions.DEFAULT, w -> new LstmCell(w, doubleBias(w)))) {
            ReferenceOutput output = engine.newSession().runDouble(c.input());
            assertArrayEquals(c.y64(), output.y(), 1e-12, "y");
            assertArrayEquals(c.h64(), output.h(), 1e-12, "h_n");
            assertArrayEquals(c.c64(), output.c(), 1e-12, "c_n");
        }
    }

    private static double[] doubleBias(LstmWeights w) {
        double[] sum = new double[LstmWeights.GATES * w.hiddenSize()];
        for (int k = 0; k < sum.length; k++) {
            int at = k;
            sum[k] = w.inputBias().map(bias -> (double) bias[at]).orElse(0.0)
                    + w.recurrentBias().map(bias -> (double) bias[at]).orElse(0.0);
        }
        return sum;
    }

    /** One unit, one feature, two steps; every gate has its own weights, so that no two can be swapped unseen. */
    @Test
    void handComputed() {
        float[] w = {0.5f, -0.25f, 0.75f, 1.5f}, r = {0.125f, 1.0f, -0.5f, 0.25f}, b = {0.0f, 1.0f, 0.25f, -0.5f};
        LstmModel model = model(
                Direction.FORWARD,
                LstmWeights.builder(1, 1).input(w).recurrent(r).inputBias(b).build());
        ReferenceOutput output = run(model, LstmInput.batchMajor(new float[] {2.0f, -1.0f}, 1, 2));

        // Step 1, x = 2, h = c = 0: pre-activations w·2 + b = 1, 0.5, 1.75, 2.5.
        double i = 1 / (1 + Math.exp(-1)), g = Math.tanh(1.75), o = 1 / (1 + Math.exp(-2.5));
        double c1 = i * g;
        double h1 = o * Math.tanh(c1);
        // Step 2, x = -1.
        i = 1 / (1 + Math.exp(0.5 - 0.125 * h1));
        double f = 1 / (1 + Math.exp(-(0.25 + h1 + 1.0)));
        g = Math.tanh(-0.75 - 0.5 * h1 + 0.25);
        o = 1 / (1 + Math.exp(-(-1.5 + 0.25 * h1 - 0.5)));
        double c2 = f * c1 + i * g;
        double h2 = o * Math.tanh(c2);

        assertArrayEquals(new double[] {h1, h2}, output.y(), 1e-15);
        assertArrayEquals(new double[] {h2}, output.h(), 1e-15);
        assertArrayEquals(new double[] {c2}, output.c(), 1e-15);
        // The same from four-figure tables: σ(1) tanh(1.75) = 0.7311 · 0.9414 = 0.6882, and σ(2.5) tanh(0.6882) =
        // 0.9241 · 0.5969.
        assertEquals(0.6882, c1, 1e-4);
        assertEquals(0.5516, h1, 1e-4);
    }

    @Test
    void withoutPeepholesNoGateSeesAnInfiniteCellState() {
        LstmModel model = model(Direction.FORWARD, weights(1, 1, 1));
        LstmState initial = new LstmState(1, new float[1], new float[] {Float.NEGATIVE_INFINITY});
        LstmInput input = LstmInput.batchMajor(new float[] {0.5f}, 1, 1).withInitialState(initial);
        ReferenceOutput output = run(model, input);
        assertEquals(Double.NEGATIVE_INFINITY, output.c()[0]);
        assertTrue(-1 < output.h()[0] && output.h()[0] < 0, "h is -o: " + output.h()[0]);
    }

    @Test
    void swappingAnyTwoGatesShows() {
        LstmWeights w = weights(3, 4, 1);
        LstmInput input = LstmInput.batchMajor(sequence(2 * 5 * 3), 2, 5);
        ReferenceOutput right = run(model(Direction.FORWARD, w), input);
        for (int a = 0; a < LstmWeights.GATES; a++) {
            for (int b = a + 1; b < LstmWeights.GATES; b++) {
                ReferenceOutput wrong = run(model(Direction.FORWARD, swapped(w, a, b)), input);
                double difference = 0;
                for (int k = 0; k < right.y().length; k++) {
                    difference = Math.max(difference, Math.abs(right.y()[k] - wrong.y()[k]));
                }
                assertTrue(difference > 0.05, "gates " + a + " and " + b + ": " + difference);
            }
        }
    }

    @Test
    void rowsPastTheirLengthStandStillAndLengthZeroPassesTheStateThrough() {
        LstmModel model = model(Direction.BIDIRECTIONAL, weights(2, 3, 1), weights(2, 3, 2));
        float[] x = sequence(3 * 4 * 2);
        LstmState initial = new LstmState(3, sequence(2 * 3 * 3), sequence(2 * 3 * 3));
        LstmInput input = LstmInput.batchMajor(x, 3, 4).withLengths(4, 0, 2).withInitialState(initial);
        ReferenceOutput output = run(model, input);

        double[] zeros = new double[4 * 6];
        assertArrayEquals(zeros, Arrays.copyOfRange(output.y(), 4 * 6, 8 * 6), "y of length 0");
        assertArrayEquals(Arrays.copyOf(zeros, 2 * 6), Arrays.copyOfRange(output.y(), 10 * 6, 12 * 6), "y past 2");
        for (int d = 0; d < 2; d++) {
            for (int u = 0; u < 3; u++) {
                int at = (d * 3 + 1) * 3 + u;
                assertEquals(initial.h()[at], output.h()[at]);
                assertEquals(initial.c()[at], output.c()[at]);
            }
        }
        // The row of length 2 is the same as a batch of its two steps alone, in both directions.
        LstmState own = new LstmState(1, state(initial.h(), 2), state(initial.c(), 2));
        ReferenceOutput alone = run(
                model, LstmInput.batchMajor(Arrays.copyOfRange(x, 16, 20), 1, 2).withInitialState(own));
        assertArrayEquals(alone.y(), Arrays.copyOfRange(output.y(), 8 * 6, 10 * 6));
    }

    /** The part of row {@code row} of a state {@code [2,3,3]}. */
    private static float[] state(float[] values, int row) {
        float[] part = new float[6];
        System.arraycopy(values, row * 3, part, 0, 3);
        System.arraycopy(values, (3 + row) * 3, part, 3, 3);
        return part;
    }

    @Test
    void aReverseLayerIsAForwardOneOnReversedTime() {
        LstmWeights w = weights(1, 2, 3);
        ReferenceOutput reverse = run(
                model(Direction.REVERSE, w),
                LstmInput.batchMajor(new float[] {1, 2, 3, 9}, 1, 4).withLengths(3));
        ReferenceOutput forward = run(model(Direction.FORWARD, w), LstmInput.batchMajor(new float[] {3, 2, 1}, 1, 3));
        for (int t = 0; t < 3; t++) {
            for (int u = 0; u < 2; u++) {
                assertEquals(forward.y()[(2 - t) * 2 + u], reverse.y()[t * 2 + u]);
            }
        }
        assertArrayEquals(forward.h(), reverse.h());
        assertArrayEquals(forward.c(), reverse.c());
    }

    @Test
    void theSessionRoundsTheDoubles() {
        LstmModel model = model(Direction.FORWARD, weights(2, 3, 5));
        LstmInput input = LstmInput.timeMajor(sequence(4 * 2 * 2), 2, 4);
        try (LstmEngine engine = new ReferenceEngineProvider().open(Device.REFERENCE, model, EngineOptions.DEFAULT)) {
            assertInstanceOf(ReferenceEngine.class, engine);
            assertEquals(Tier.REFERENCE, engine.tier());
            LstmSession session = engine.newSession();
            LstmOutput rounded = session.run(input);
            ReferenceOutput exact = run(model, input);
            for (int k = 0; k < exact.y().length; k++) {
                assertEquals((float) exact.y()[k], rounded.y().get(k));
            }
            assertEquals((float) exact.h()[2], rounded.finalState().h()[2]);
            assertEquals((float) exact.c()[2], rounded.finalState().c()[2]);
            session.close();
            assertThrows(IllegalStateException.class, () -> session.run(input));
        }
    }

    @Test
    void threadsDontChangeTheResult() {
        LstmModel model = model(Direction.FORWARD, weights(2, 3, 5));
        LstmInput input = LstmInput.timeMajor(sequence(4 * 7 * 2), 7, 4);
        double[] expected = run(model, input).y();
        for (int threads : new int[] {1, 3}) {
            try (ReferenceEngine engine = new ReferenceEngine(model, EngineOptions.DEFAULT.withThreads(threads))) {
                assertArrayEquals(expected, engine.newSession().runDouble(input).y());
            }
        }
    }

    @Test
    void sigmoidNeitherOverflowsNorLosesSmallValues() {
        assertEquals(Math.exp(-700), LstmCell.sigmoid(-700), 1e-310);
        assertEquals(0.0, LstmCell.sigmoid(Double.NEGATIVE_INFINITY));
        assertEquals(1.0, LstmCell.sigmoid(Double.POSITIVE_INFINITY));
        assertEquals(0.5, LstmCell.sigmoid(-0.0));
        assertTrue(Double.isNaN(LstmCell.sigmoid(Double.NaN)));
    }

    @Test
    void refusesABatchThatDoesNotFit() {
        LstmModel model = model(Direction.FORWARD, weights(2, 3, 5));
        LstmInput input = LstmInput.timeMajor(new float[3], 1, 1);
        assertThrows(InvalidInputException.class, () -> run(model, input));
    }

    private static ReferenceOutput run(LstmModel model, LstmInput input) {
        try (ReferenceEngine engine = new ReferenceEngine(model, EngineOptions.DEFAULT)) {
            return engine.newSession().runDouble(input);
        }
    }

    private static LstmModel model(Direction direction, LstmWeights... directions) {
        return new LstmModel(direction, List.of(List.of(directions)));
    }

    /** Weights that differ strongly from gate to gate. */
    private static LstmWeights weights(int inputs, int units, int seed) {
        return LstmWeights.builder(inputs, units)
                .input(byGate(units, inputs, seed))
                .recurrent(byGate(units, units, seed + 10))
                .inputBias(byGate(units, 1, seed + 20))
                .build();
    }

    private static float[] byGate(int units, int columns, int seed) {
        float[] level = {0.6f, -0.8f, 1.1f, -0.2f};
        float[] values = new float[LstmWeights.GATES * units * columns];
        for (int k = 0; k < values.length; k++) {
            values[k] = level[k / (units * columns)] + (float) (0.1 * Math.sin(seed + k));
        }
        return values;
    }

    private static LstmWeights swapped(LstmWeights w, int a, int b) {
        List<float[]> swapped = new ArrayList<>();
        for (float[] values :
                new float[][] {w.input(), w.recurrent(), w.inputBias().orElseThrow()}) {
            float[] copy = values.clone();
            int size = values.length / LstmWeights.GATES;
            System.arraycopy(values, a * size, copy, b * size, size);
            System.arraycopy(values, b * size, copy, a * size, size);
            swapped.add(copy);
        }
        return w.toBuilder()
                .input(swapped.get(0))
                .recurrent(swapped.get(1))
                .inputBias(swapped.get(2))
                .build();
    }

    private static float[] sequence(int count) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (float) Math.cos(1.7 * k);
        }
        return values;
    }

    /** Rows read the caller's input and call its listeners, so none may run when an interrupted call returns. */
    @Test
    void anInterruptedRunLeavesNothingRunning() {
        LstmModel model = RandomLstm.model(new Random(1), Direction.FORWARD, 1, 2, 3, false, true);
        LstmInput input = LstmInput.batchMajor(new float[3 * 20 * 2], 3, 20);
        Thread caller = Thread.currentThread();
        AtomicInteger steps = new AtomicInteger();
        try (ReferenceEngine engine = new ReferenceEngine(model, EngineOptions.DEFAULT.withThreads(1));
                ReferenceSession session = engine.newSession()) {
            StepListener slow = (layer, direction, time, x, h, c, step) -> {
                caller.interrupt();
                LockSupport.parkNanos(5_000_000);
                steps.incrementAndGet();
            };
            assertThrows(CellFuseException.class, () -> session.runDouble(input, row -> slow));
            assertTrue(Thread.interrupted(), "the interruption is passed on");
            assertEquals(20, steps.get(), "the row that had begun is done, and no other has begun");
            session.runDouble(input);
        }
    }
}

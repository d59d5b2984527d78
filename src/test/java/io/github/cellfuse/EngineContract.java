package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every engine keeps, whatever the device: a row's bits depend on its own sequence and nothing else. Each device
 * inherits these tests. A case that fails prints its seed; {@code bin/test -Dtest=NAME -Dcellfuse.seed=SEED} begins
 * with it.
 */
@Tag("extended")
public abstract class EngineContract {
    private static final int CASES = Extent.cases(6, 12);

    /** The device under test. */
    protected abstract Device device();

    /** How it is opened. */
    protected EngineOptions options() {
        return EngineOptions.DEFAULT;
    }

    /**
     * A case: where weights are floats every third one has cells of another kind, for each of which a device compiles
     * its kernels.
     */
    private RandomLstm random(long seed) {
        return options().weights() == WeightPrecision.F32 ? RandomLstm.any(seed) : RandomLstm.of(seed);
    }

    static LongStream seeds() {
        long first = TestEngines.seed(1000);
        return LongStream.range(first, first + CASES);
    }

    /** Opens the engine under test. */
    protected LstmEngine open(LstmModel model) {
        return LstmEngine.open(device(), model, options());
    }

    private LstmOutput run(LstmModel model, LstmInput input) {
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            return session.run(input);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void rowsDoNotDependOnTheirNeighbours(long seed) {
        RandomLstm random = random(seed);
        LstmInput input = random.input();
        int rows = input.rows();
        List<Integer> shuffled =
                new ArrayList<>(IntStream.range(0, rows).boxed().toList());
        Collections.shuffle(shuffled, new Random(seed));
        int cut = new Random(seed).nextInt(rows) + 1;
        try (LstmEngine engine = open(random.model());
                LstmSession session = engine.newSession()) {
            LstmOutput whole = session.run(input);
            for (List<Integer> part : List.of(shuffled.subList(0, cut), shuffled.subList(cut, rows))) {
                if (!part.isEmpty()) {
                    int[] chosen = part.stream().mapToInt(Integer::intValue).toArray();
                    LstmOutput expected = Batches.rows(random.model(), whole, chosen);
                    Bits.assertSame(
                            random + ", rows in another order",
                            expected,
                            session.run(Batches.rows(random.model(), input, chosen)));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aSequenceInTwoPiecesIsTheSequence(long seed) {
        Random random = new Random(seed);
        LstmModel model = forward(random);
        int rows = 1 + random.nextInt(9), steps = 2 + random.nextInt(9);
        float[] x = RandomLstm.values(random, steps * rows * model.inputSize(), 3);
        LstmState initial = RandomLstm.state(random, model, rows);
        LstmInput input = LstmInput.timeMajor(x, rows, steps).withInitialState(initial);
        int cut = 1 + random.nextInt(steps - 1), at = cut * rows * model.inputSize();
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            LstmOutput whole = session.run(input);
            FloatBuffer firstX = input.x().slice(0, at);
            FloatBuffer secondX = input.x().slice(at, input.x().limit() - at);
            LstmOutput first = session.run(
                    LstmInput.of(Layout.TIME_MAJOR, firstX, rows, cut).withInitialState(initial));
            LstmOutput second = session.run(
                    LstmInput.of(Layout.TIME_MAJOR, secondX, rows, steps - cut).withInitialState(first.finalState()));
            int y = cut * rows * model.outputSize();
            String what = "seed " + seed + ", cut after step " + cut + " of " + steps;
            Bits.assertSame(what + ": first y", whole.y().slice(0, y), first.y());
            Bits.assertSame(what + ": second y", whole.y().slice(y, whole.y().limit() - y), second.y());
            Bits.assertSame(
                    what + ": h", whole.finalState().h(), second.finalState().h());
            Bits.assertSame(
                    what + ": c", whole.finalState().c(), second.finalState().c());
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void bothLayoutsGiveTheSame(long seed) {
        RandomLstm random = random(seed);
        LstmInput input = random.input(), other = Batches.otherLayout(random.model(), input);
        LstmOutput expected = run(random.model(), input), found = run(random.model(), other);
        Bits.assertSame(
                random + ": y", Batches.otherLayout(random.model(), expected).y(), found.y());
        Bits.assertSame(
                random + ": h", expected.finalState().h(), found.finalState().h());
        Bits.assertSame(
                random + ": c", expected.finalState().c(), found.finalState().c());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void aShortRowIsTheSequenceThatEndsThere(long seed) {
        Random random = new Random(seed);
        LstmModel model = RandomLstm.model(random, 2, 3, 7, random.nextBoolean(), true);
        int rows = 8, steps = 6;
        int[] lengths = random.ints(rows, 0, steps + 1).toArray();
        lengths[0] = 0;
        LstmState state = RandomLstm.state(random, model, rows);
        LstmInput input = LstmInput.batchMajor(RandomLstm.values(random, rows * steps * 3, 2), rows, steps)
                .withInitialState(state)
                .withLengths(lengths);
        LstmOutput ragged = run(model, input);
        for (int row = 0; row < rows; row++) {
            LstmOutput found = Batches.rows(model, ragged, row);
            int length = lengths[row], width = model.outputSize();
            for (int k = length * width; k < steps * width; k++) {
                assertTrue(Bits.same(0.0f, found.y().get(k)), "seed " + seed + ", row " + row + ": y past its length");
            }
            LstmState own = Batches.rows(model, state, row);
            if (length == 0) {
                Bits.assertSame(
                        "seed " + seed + ": h of a row without steps",
                        own.h(),
                        found.finalState().h());
                Bits.assertSame(
                        "seed " + seed + ": c of a row without steps",
                        own.c(),
                        found.finalState().c());
                continue;
            }
            FloatBuffer x = input.x().slice(row * steps * 3, length * 3);
            LstmOutput alone =
                    run(model, LstmInput.of(Layout.BATCH_MAJOR, x, 1, length).withInitialState(own));
            Bits.assertSame(
                    "seed " + seed + ", row " + row + ": y",
                    alone.y(),
                    found.y().slice(0, length * width));
            Bits.assertSame(
                    "seed " + seed + ", row " + row + ": h",
                    alone.finalState().h(),
                    found.finalState().h());
            Bits.assertSame(
                    "seed " + seed + ", row " + row + ": c",
                    alone.finalState().c(),
                    found.finalState().c());
        }
    }

    @Test
    void aSessionForgetsTheBatchBefore() {
        Random random = new Random(TestEngines.seed(7));
        LstmModel model = RandomLstm.model(random, 2, 5, 20, false, true);
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            for (int rows : new int[] {40, 3, 64, 1, 40}) {
                LstmInput input = RandomLstm.input(random, model, rows, 1 + random.nextInt(8));
                try (LstmSession fresh = engine.newSession()) {
                    Bits.assertSame("N=" + rows, fresh.run(input), session.run(input));
                }
            }
        }
    }

    @Test
    void nanAndInfinityGoThroughAndStayInTheirRow() {
        Random random = new Random(TestEngines.seed(8));
        LstmModel model = RandomLstm.model(random, 1, 3, 9, false, true);
        float[] x = RandomLstm.values(random, 5 * 4 * 3, 1);
        LstmOutput clean = run(model, LstmInput.batchMajor(x.clone(), 5, 4));
        x[1 * 4 * 3] = Float.NaN;
        x[3 * 4 * 3] = Float.POSITIVE_INFINITY;
        LstmOutput found = run(model, LstmInput.batchMajor(x, 5, 4));
        for (int row : new int[] {0, 2, 4}) {
            Bits.assertSame("clean row " + row, Batches.rows(model, clean, row), Batches.rows(model, found, row));
        }
        assertTrue(Float.isNaN(Batches.rows(model, found, 1).y().get(0)), "NaN in the data is NaN in the result");
        float saturated = Batches.rows(model, found, 3).y().get(0);
        assertTrue(Math.abs(saturated) <= 1, "an infinite feature saturates the gates: " + saturated);
    }

    @Test
    void inputIsNotChangedAndBuffersMayBeDirect() {
        Random random = new Random(TestEngines.seed(9));
        LstmModel model = RandomLstm.model(random, 1, 4, 6, false, true);
        float[] values = RandomLstm.values(random, 3 * 5 * 4, 1), copy = values.clone();
        LstmInput heap = LstmInput.batchMajor(values, 3, 5);
        FloatBuffer direct = ByteBuffer.allocateDirect(values.length * 4)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        direct.put(values); // the position at the end must not matter
        LstmOutput expected = run(model, heap);
        Bits.assertSame("direct", expected, run(model, LstmInput.of(Layout.BATCH_MAJOR, direct, 3, 5)));
        assertArrayEquals(copy, values);
        assertEquals(0, heap.x().position());
    }

    @Test
    void whatDoesNotFitIsRefusedInOneLine() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 4, 6, false, true);
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            InvalidInputException e = assertThrows(
                    InvalidInputException.class, () -> session.run(LstmInput.batchMajor(new float[30], 3, 2)));
            assertEquals("input: expected 3 rows x 2 steps x 4 features = 24 values, found 30", e.getMessage());
            LstmInput input = LstmInput.batchMajor(new float[24], 3, 2);
            e = assertThrows(
                    InvalidInputException.class, () -> session.run(input.withInitialState(LstmState.zeros(model, 2))));
            assertEquals("initial state: expected 3 rows, found 2", e.getMessage());
            e = assertThrows(InvalidInputException.class, () -> input.withLengths(1, 2, 3));
            assertEquals("lengths[2]: expected 0 to 2 steps, found 3", e.getMessage());
        }
    }

    @Test
    void closingTwiceIsHarmlessAndUseAfterwardsIsRefused() {
        LstmModel model = RandomLstm.model(new Random(2), 1, 2, 3, false, true);
        LstmEngine engine = open(model);
        LstmSession session = engine.newSession();
        session.close();
        session.close();
        assertThrows(IllegalStateException.class, () -> session.run(LstmInput.batchMajor(new float[2], 1, 1)));
        engine.close();
        engine.close();
        assertThrows(IllegalStateException.class, engine::newSession);
    }

    @Test
    void closingTheEngineClosesItsSessions() {
        RandomLstm random = RandomLstm.of(2);
        LstmEngine engine = open(random.model());
        LstmSession used = engine.newSession(), unused = engine.newSession();
        used.run(random.input());
        engine.close();
        for (LstmSession session : List.of(used, unused)) {
            assertThrows(IllegalStateException.class, () -> session.run(random.input()));
            session.close();
        }
    }

    @Test
    void aSessionGoesOnAfterABatchThatWasRefused() {
        RandomLstm random = RandomLstm.of(TestEngines.seed(4));
        LstmInput input = random.input();
        try (LstmEngine engine = open(random.model());
                LstmSession session = engine.newSession()) {
            LstmOutput expected = session.run(input);
            LstmInput tooLong = LstmInput.of(input.layout(), input.x(), input.rows(), input.steps() + 1);
            assertThrows(InvalidInputException.class, () -> session.run(tooLong));
            LstmOutput other = LstmOutput.allocate(random.model(), Batches.otherLayout(random.model(), input));
            assertThrows(InvalidInputException.class, () -> session.run(input, other));
            Bits.assertSame(random.toString(), expected, session.run(input));
        }
    }

    @Test
    void whereTheOutputStandsDoesNotMatter() {
        RandomLstm random = RandomLstm.of(TestEngines.seed(6));
        try (LstmEngine engine = open(random.model());
                LstmSession session = engine.newSession()) {
            LstmOutput expected = session.run(random.input());
            FloatBuffer direct = ByteBuffer.allocateDirect(expected.y().limit() * 4) // big-endian, as it happens
                    .asFloatBuffer();
            direct.position(direct.limit());
            LstmOutput found = new LstmOutput(
                    expected.layout(),
                    expected.rows(),
                    expected.steps(),
                    direct,
                    LstmState.zeros(random.model(), expected.rows()));
            session.run(random.input(), found);
            assertEquals(direct.limit(), direct.position());
            Bits.assertSame(random.toString(), expected, found);
        }
    }

    /** Each thread has its session, all run at once, and what comes out is what came out alone. */
    @Test
    void sessionsOfOneEngineRunSideBySide() throws Exception {
        Random random = new Random(TestEngines.seed(10));
        LstmModel model = RandomLstm.model(random, 2, 5, 20, true, true);
        List<LstmInput> inputs = IntStream.range(0, 12)
                .mapToObj(k -> RandomLstm.input(random, model, 1 + random.nextInt(40), 1 + random.nextInt(12)))
                .toList();
        List<LstmOutput> expected =
                inputs.stream().map(input -> run(model, input)).toList();
        int threads = 4;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try (LstmEngine engine = open(model)) {
            CountDownLatch start = new CountDownLatch(threads);
            List<Future<?>> runs = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int first = t;
                runs.add(pool.submit(() -> {
                    try (LstmSession session = engine.newSession()) {
                        start.countDown();
                        start.await();
                        for (int k = 0; k < 3 * inputs.size(); k++) {
                            int which = (first * 5 + k) % inputs.size();
                            Bits.assertSame(
                                    "thread " + first + ", batch " + which,
                                    expected.get(which),
                                    session.run(inputs.get(which)));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> run : runs) {
                run.get();
            }
        } finally {
            pool.shutdownNow();
        }
    }

    /** Another thread may close the engine at any time: a run that has begun ends well or is refused. */
    @Test
    void closingUnderARunningSessionEndsItInOrder() throws Exception {
        Random random = new Random(TestEngines.seed(14));
        LstmModel model = RandomLstm.model(random, 2, 5, 20, false, true);
        LstmInput input = RandomLstm.input(random, model, 30, 12);
        LstmOutput expected = run(model, input);
        for (int k = 0; k < 5; k++) {
            LstmEngine engine = open(model);
            LstmSession session = engine.newSession();
            CountDownLatch running = new CountDownLatch(1);
            ExecutorService other = Executors.newSingleThreadExecutor();
            Future<?> runs = other.submit(() -> {
                try {
                    for (; ; running.countDown()) {
                        Bits.assertSame("while it is open", expected, session.run(input));
                    }
                } catch (IllegalStateException closed) {
                    return;
                }
            });
            running.await();
            engine.close();
            runs.get();
            other.shutdown();
        }
    }

    private static LstmModel forward(Random random) {
        LstmModel model;
        do {
            model = RandomLstm.model(
                    random, 1 + random.nextInt(2), 1 + random.nextInt(8), 1 + random.nextInt(40), false, true);
        } while (model.last().direction() != Direction.FORWARD);
        return model;
    }

    /** Ragged lengths cost no order: what comes out is in the caller's order, also when all rows are equally long. */
    @Test
    void orderOfRowsIsKept() {
        LstmModel model = RandomLstm.model(new Random(3), 1, 1, 4, false, true);
        float[] x = new float[50];
        for (int k = 0; k < x.length; k++) {
            x[k] = k * 0.1f;
        }
        LstmOutput all = run(model, LstmInput.batchMajor(x, 50, 1));
        for (int row = 0; row < 50; row += 7) {
            LstmOutput one = run(model, LstmInput.batchMajor(new float[] {x[row]}, 1, 1));
            Bits.assertSame("row " + row, one, Batches.rows(model, all, row));
        }
    }
}

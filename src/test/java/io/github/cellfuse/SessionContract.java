package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * How engines and sessions are opened, shared, misused and closed: the same on every device, which inherits these
 * tests.
 */
public abstract class SessionContract {
    /** The device under test. */
    protected abstract Device device();

    /** How it is opened. */
    protected EngineOptions options() {
        return EngineOptions.DEFAULT;
    }

    /** Opens the engine under test. */
    protected LstmEngine open(LstmModel model) {
        return LstmEngine.open(device(), model, options());
    }

    final LstmOutput run(LstmModel model, LstmInput input) {
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            return session.run(input);
        }
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

    /** Whatever the model, the lengths, the initial states and the layout; and y afterwards is complete. */
    @Tag("extended")
    @Test
    void withoutYTheStatesHaveTheSameBits() {
        boolean[] directions = new boolean[3];
        for (long seed : Extent.seeds(TestEngines.seed(20), 8, 16).toArray()) {
            RandomLstm random = RandomLstm.of(seed);
            directions[random.model().last().direction().ordinal()] = true;
            LstmInput input = random.input();
            int[] half = input.lengths(), none = new int[half.length];
            for (int row = 0; row < half.length; row += 2) {
                half[row] = 0;
            }
            LstmState initial = RandomLstm.state(new Random(seed), random.model(), input.rows());
            List<LstmInput> batches = List.of(
                    input,
                    Batches.otherLayout(random.model(), input),
                    input.withLengths(half),
                    input.withLengths(none),
                    input.withLengths(half).withInitialState(initial));
            try (LstmEngine engine = open(random.model());
                    LstmSession session = engine.newSession()) {
                for (int k = 0; k < batches.size(); k++) {
                    LstmInput batch = batches.get(k);
                    LstmOutput found = LstmOutput.statesOnly(random.model(), batch);
                    Arrays.fill(found.finalState().h(), Float.NaN);
                    Arrays.fill(found.finalState().c(), Float.NaN);
                    session.run(batch, found);
                    LstmOutput expected = session.run(batch);
                    String what = random + ", batch " + k;
                    Bits.assertSame(
                            what + ": h",
                            expected.finalState().h(),
                            found.finalState().h());
                    Bits.assertSame(
                            what + ": c",
                            expected.finalState().c(),
                            found.finalState().c());
                    assertFalse(found.hasY());
                    assertEquals(0, found.y().limit());
                    assertTrue(expected.hasY());
                    try (LstmSession fresh = engine.newSession()) {
                        Bits.assertSame(what + ": y", fresh.run(batch), expected);
                    }
                }
            }
        }
        assertTrue(directions[0] && directions[1] && directions[2], "every direction is among the cases");
    }

    @Test
    void withoutYTheRestHasToFitAndAnotherEmptyYIsRefused() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 4, 6, false, true);
        LstmInput input = LstmInput.batchMajor(new float[24], 3, 2);
        LstmState state = LstmState.zeros(model, 3);
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            for (LstmOutput unfit : List.of(
                    LstmOutput.statesOnly(Layout.TIME_MAJOR, 3, 2, state),
                    LstmOutput.statesOnly(Layout.BATCH_MAJOR, 3, 3, state),
                    LstmOutput.statesOnly(Layout.BATCH_MAJOR, 3, 2, LstmState.zeros(model, 2)),
                    new LstmOutput(Layout.BATCH_MAJOR, 3, 2, FloatBuffer.allocate(0), state))) {
                assertThrows(InvalidInputException.class, () -> session.run(input, unfit), unfit::toString);
            }
            session.run(input, LstmOutput.statesOnly(Layout.BATCH_MAJOR, 3, 2, state));
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
                } finally {
                    running.countDown(); // a failure ends the wait, too
                }
            });
            running.await();
            engine.close();
            runs.get();
            other.shutdown();
        }
    }

    /** A run that has begun ends with its result, and close returns after it. */
    @Test
    void closingWaitsForTheRunInProgress() throws Exception {
        Random random = new Random(TestEngines.seed(15));
        LstmModel model = RandomLstm.model(random, 1, 5, 20, false, true);
        LstmInput input = RandomLstm.input(random, model, 3, 16);
        LstmOutput expected = run(model, input);
        long nanos = 0;
        while (nanos < 100_000_000) {
            input = RandomLstm.input(random, model, 3, 2 * input.steps());
            try (LstmEngine engine = open(model);
                    LstmSession session = engine.newSession()) {
                session.run(input); // compiles what the shape needs
                long start = System.nanoTime();
                expected = session.run(input);
                nanos = System.nanoTime() - start;
            }
        }
        LstmInput batch = input;
        for (int k = 0; k < 3; k++) {
            LstmEngine engine = open(model);
            LstmSession session = engine.newSession();
            session.run(batch);
            CountDownLatch begins = new CountDownLatch(1);
            // Allocated first: for as many steps it may take longer than the wait below.
            LstmOutput output = LstmOutput.allocate(model, batch);
            FutureTask<LstmOutput> run = new FutureTask<>(() -> {
                begins.countDown();
                session.run(batch, output);
                return output;
            });
            new Thread(run, "runs").start();
            begins.await();
            Thread.sleep(nanos / 2_000_000);
            engine.close();
            // By now the run is over, whether or not the machine was too busy for it to begin before close.
            try {
                Bits.assertSame("closed during the run", expected, run.get(10, TimeUnit.SECONDS));
            } catch (ExecutionException refused) {
                assertTrue(refused.getCause() instanceof IllegalStateException, () -> refused.getCause() + "");
                assertTrue(k > 0, "the first run began long before close, and was refused: " + refused.getCause());
            }
            assertThrows(IllegalStateException.class, () -> session.run(batch));
        }
    }

    /** The second of two threads is refused, and the first one's result is right. */
    @Test
    void aSessionUsedByTwoThreadsSaysSo() throws Exception {
        Random random = new Random(TestEngines.seed(16));
        LstmModel model = RandomLstm.model(random, 2, 5, 20, false, true);
        List<LstmInput> inputs = List.of(RandomLstm.input(random, model, 7, 9), RandomLstm.input(random, model, 12, 4));
        List<LstmOutput> expected =
                inputs.stream().map(input -> run(model, input)).toList();
        AtomicInteger refused = new AtomicInteger();
        long deadline = System.nanoTime() + 60_000_000_000L;
        try (LstmEngine engine = open(model);
                LstmSession session = engine.newSession()) {
            List<FutureTask<Void>> threads = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                int own = t;
                threads.add(new FutureTask<>(() -> {
                    while (refused.get() < 20 && System.nanoTime() < deadline) {
                        try {
                            Bits.assertSame("thread " + own, expected.get(own), session.run(inputs.get(own)));
                        } catch (IllegalStateException misuse) {
                            assertTrue(misuse.getMessage().contains("one thread at a time"), misuse::getMessage);
                            refused.incrementAndGet();
                        }
                    }
                    return null;
                }));
            }
            threads.forEach(thread -> new Thread(thread).start());
            for (FutureTask<Void> thread : threads) {
                thread.get();
            }
            assertTrue(refused.get() >= 20, () -> "refused " + refused.get() + " times in a minute");
            Bits.assertSame("afterwards", expected.get(0), session.run(inputs.get(0)));
        }
    }
}

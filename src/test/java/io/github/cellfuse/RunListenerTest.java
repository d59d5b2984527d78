package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.reference.ReferenceEngine;
import io.github.cellfuse.reference.ReferenceSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which runs a listener receives, with what, and what happens if it fails. */
@Timeout(120)
class RunListenerTest {
    private static final LstmModel MODEL = RandomLstm.model(new Random(1), Direction.FORWARD, 2, 5, 7, false, true);

    private final List<RunMetrics> told = new ArrayList<>();

    private static LstmInput batch(int rows, int steps) {
        return LstmInput.batchMajor(new float[rows * steps * MODEL.inputSize()], rows, steps);
    }

    private static LstmEngine open(Device device, RunListener listener) {
        return LstmEngine.open(device, MODEL, EngineOptions.DEFAULT.withListener(listener));
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.TestEngines#all")
    void everyRunIsToldOfOnce(Device device) {
        try (LstmEngine engine = open(device, told::add);
                LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams()) {
            long start = System.nanoTime();
            assertEquals(List.of(), told, "the self-test isn't a run of the user's");
            session.run(batch(3, 4));
            session.run(batch(9, 1));
            streams.run(batch(2, 6), streams.add(), streams.add());
            long all = System.nanoTime() - start;
            assertEquals(List.of("3x4", "9x1", "2x6"), shapes());
            for (RunMetrics run : told) {
                assertEquals(engine.device(), run.device());
                assertEquals(device instanceof Device.OpenCl, run.plan().isPresent());
                assertTrue(run.computeNanos() > 0 && run.waitNanos() >= 0, run::toString);
                all -= run.computeNanos() + run.waitNanos();
            }
            assertTrue(all >= 0, "the runs took less time than they say: " + told);
        }
    }

    private List<String> shapes() {
        return told.stream().map(run -> run.rows() + "x" + run.steps()).toList();
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.TestEngines#all")
    void aRunThatThrowsIsNotToldOf(Device device) {
        try (LstmEngine engine = open(device, told::add);
                LstmSession session = engine.newSession()) {
            LstmInput wrong = LstmInput.batchMajor(new float[31], 3, 2);
            assertThrows(InvalidInputException.class, () -> session.run(wrong));
            session.run(batch(1, 2));
            assertEquals(List.of("1x2"), shapes());
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.TestEngines#all")
    void aListenerThatThrowsBreaksNoRun(Device device) {
        AtomicInteger calls = new AtomicInteger();
        LstmInput input = RandomLstm.input(new Random(2), MODEL, 4, 3);
        LstmOutput expected;
        try (LstmEngine engine = LstmEngine.open(device, MODEL);
                LstmSession session = engine.newSession()) {
            expected = session.run(input);
        }
        try (LstmEngine engine = open(device, run -> fail(calls.incrementAndGet()));
                LstmSession session = engine.newSession()) {
            for (int n = 0; n < 3; n++) {
                Bits.assertSame("run " + n, expected, session.run(input));
            }
            // Something that the JVM can't go on with isn't hidden, and yet the output is there.
            LstmOutput output = LstmOutput.allocate(MODEL, input);
            assertThrows(OutOfMemoryError.class, () -> session.run(input, output));
            Bits.assertSame("after an error", expected, output);
            Bits.assertSame("the session goes on", expected, session.run(input));
        }
        assertEquals(5, calls.get());
    }

    private static void fail(int call) {
        if (call == 4) {
            throw new OutOfMemoryError("made by the test");
        }
        IllegalStateException e = new IllegalStateException("made by the test");
        e.setStackTrace(new StackTraceElement[0]); // it is logged
        throw e;
    }

    /** Only then does it receive nothing while the engine waits for runs. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.TestEngines#all")
    void aListenerMayCloseTheEngine(Device device) {
        List<LstmEngine> engines = new ArrayList<>();
        LstmEngine engine = open(device, run -> engines.get(0).close());
        engines.add(engine);
        LstmSession session = engine.newSession();
        session.run(batch(2, 2));
        assertThrows(IllegalStateException.class, () -> session.run(batch(2, 2)));
        session.close();
    }

    /** One thread, which a row of the first session keeps, so that the second one has to wait for it. */
    @Test
    void theTimeOfWaitingForAThreadIsApart() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1), held = new CountDownLatch(1);
        EngineOptions options = EngineOptions.DEFAULT.withThreads(1).withListener(told::add);
        try (ReferenceEngine engine = new ReferenceEngine(MODEL, options);
                ReferenceSession first = engine.newSession();
                ReferenceSession second = engine.newSession()) {
            Thread other = new Thread(() -> first.runDouble(batch(1, 1), row -> {
                begun.countDown();
                await(held);
                return (layer, direction, time, x, h, c, step) -> {};
            }));
            other.start();
            begun.await();
            long millis = 300;
            new Thread(() -> {
                        sleep(millis);
                        held.countDown();
                    })
                    .start();
            second.run(batch(1, 1));
            other.join();
            assertEquals(List.of("1x1"), shapes());
            long waited = told.get(0).waitNanos() / 1_000_000,
                    computed = told.get(0).computeNanos() / 1_000_000;
            assertTrue(waited > millis / 2, "waited " + waited + " ms");
            assertTrue(computed < waited, "computed " + computed + " ms, waited " + waited + " ms");
        }
    }

    /** Two sessions of an engine with one thread are in each other's way. */
    @Test
    void twoSessionsOnJavaWaitForEachOther() throws InterruptedException {
        LstmModel model = RandomLstm.model(new Random(3), Direction.FORWARD, 1, 32, 96, false, true);
        LstmInput input = RandomLstm.input(new Random(4), model, 4, 400);
        AtomicLong longest = new AtomicLong();
        EngineOptions options = EngineOptions.DEFAULT
                .withThreads(1)
                .withListener(run -> longest.accumulateAndGet(run.waitNanos(), Math::max));
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model, options)) {
            Runnable work = () -> {
                try (LstmSession session = engine.newSession()) {
                    for (int n = 0; n < 2000 && longest.get() < 1_000_000; n++) {
                        session.run(input);
                    }
                }
            };
            Thread other = new Thread(work);
            other.start();
            work.run();
            other.join();
        }
        assertTrue(longest.get() >= 1_000_000, "waited for " + longest + " ns at most");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A program in a process of its own: two runs on each device that it is given, whose listener fails. */
    static final class FailingListenerMain {
        private FailingListenerMain() {}

        public static void main(String[] devices) {
            for (String device : devices) {
                try (LstmEngine engine = open(Device.parse(device), run -> fail(0));
                        LstmSession session = engine.newSession()) {
                    session.run(batch(1, 1));
                    session.run(batch(1, 1));
                }
            }
            System.out.println("done");
        }
    }

    @Test
    void aListenerThatFailsIsOneWarning() throws Exception {
        ChildJvm.Result result = ChildJvm.start(Map.of(), List.of(), FailingListenerMain.class, "java", "reference")
                .await(60);
        assertEquals("done", result.out().strip(), result::err);
        List<String> warnings = result.err()
                .lines()
                .filter(line -> line.contains("run listener"))
                .toList();
        assertEquals(2, warnings.size(), result::err);
        assertTrue(
                warnings.get(0).endsWith("the run listener of an engine on java failed; later failures aren't logged"),
                warnings.get(0));
        assertTrue(result.err().contains("IllegalStateException: made by the test"), result.err());
    }

    /** A runtime image may lack the recorder; then there is only the listener. */
    @Test
    void itNeedsNoFlightRecorder() throws Exception {
        ChildJvm.Result result = ChildJvm.start(
                        Map.of(), List.of("--limit-modules", "java.se"), FailingListenerMain.class, "java", "opencl")
                .await(60);
        assertEquals("done", result.out().strip(), result::err);
    }
}

package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.DeviceTrouble.Action;
import io.github.cellfuse.format.file.Coverage;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BatchJobTest {
    private static final FaultyEngine.Fault NONE = (run, input) -> {};

    private final LstmModel model = RandomLstm.model(new Random(7), Direction.FORWARD, 1, 3, 5, false, true);
    private final LstmInput whole = LstmInput.batchMajor(RandomLstm.values(new Random(8), 101 * 6 * 3, 1), 101, 6);
    private final MemoryBatch memory = new MemoryBatch(model, whole);
    private final List<LstmEngine> engines = new ArrayList<>();
    private final Recorder recorder = new Recorder();

    /** Remembers the events. */
    private static final class Recorder implements BatchListener {
        private final List<ChunkMetrics> chunks = new ArrayList<>();
        private final List<DeviceTrouble> troubles = new ArrayList<>();

        @Override
        public void onChunk(ChunkMetrics chunk) {
            chunks.add(chunk);
        }

        @Override
        public void onTrouble(DeviceTrouble trouble) {
            troubles.add(trouble);
        }

        private List<Action> actions() {
            return troubles.stream().map(DeviceTrouble::action).toList();
        }
    }

    @AfterEach
    void close() {
        engines.forEach(LstmEngine::close);
    }

    private FaultyEngine engine(FaultyEngine.Fault fault) {
        FaultyEngine engine = new FaultyEngine(model, engines.size(), fault);
        engines.add(engine);
        return engine;
    }

    private BatchJob job(int chunkRows) {
        return new BatchJob(engines, memory, memory, chunkRows).withListener(recorder);
    }

    private void assertRight() {
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            Bits.assertSame("batch", session.run(whole), memory.output());
        }
        assertEquals(101, memory.writes().size(), "every row is written");
        for (LstmEngine engine : engines) {
            assertEquals(0, ((FaultyEngine) engine).openSessions(), "sessions that are left open");
        }
    }

    private static CellFuseException failure(String message) {
        return new CellFuseException(message);
    }

    private static CellFuseException noMemory() {
        return new CellFuseException("CL_MEM_OBJECT_ALLOCATION_FAILURE") {
            private static final long serialVersionUID = 1L;

            @Override
            public boolean isOutOfMemory() {
                return true;
            }
        };
    }

    /** As for pipes: rows that are finished are never read again, and none is begun far ahead of them. */
    @Test
    void aWindowKeepsTheRowsTogether() {
        engine((run, input) -> Thread.sleep(5));
        engine((run, input) -> {
            if (run == 2 || run == 3 || run == 7) {
                throw failure("CL_OUT_OF_RESOURCES");
            }
        });
        engine((run, input) -> {
            if (run == 4 || run == 5) {
                throw noMemory();
            }
        });
        Coverage written = new Coverage();
        AtomicInteger ended = new AtomicInteger(), widest = new AtomicInteger();
        ChunkSource source = new ForwardingSource(memory) {
            @Override
            public void readInput(long firstRow, int rows, int steps, FloatBuffer x) {
                long before = written.firstMissing();
                assertTrue(firstRow >= before, () -> "row " + firstRow + " again, after " + before);
                widest.accumulateAndGet((int) (firstRow + rows - before), Math::max);
                super.readInput(firstRow, rows, steps, x);
            }
        };
        ChunkSink sink = new ForwardingSink(memory) {
            @Override
            public int write(long firstRow, LstmOutput output) {
                int checksum = super.write(firstRow, output);
                written.add(firstRow, firstRow + output.rows());
                return checksum;
            }
        };
        new BatchJob(engines, source, sink, 4)
                .withListener(recorder)
                .withWindow(12, ended::incrementAndGet)
                .run();
        assertRight();
        assertEquals(1, ended.get());
        assertTrue(widest.get() <= 12 + 3, "rows between the first unfinished one and the last: " + widest);
        assertTrue(
                recorder.actions().containsAll(List.of(Action.RETRY, Action.MOVE, Action.HALVE)),
                () -> "" + recorder.actions());
    }

    /** Whatever the chunks, the rows' bits are those of one run over the whole batch. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void chunksAndDevicesLeaveNoTrace(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        try (LstmEngine java = LstmEngine.open(Device.JAVA, random.model());
                LstmSession session = java.newSession()) {
            LstmOutput expected = session.run(random.input());
            for (int devices = 1; devices <= 3; devices++) {
                for (int chunkRows : new int[] {1, 2, 5, 64, random.input().rows()}) {
                    MemoryBatch batch = new MemoryBatch(random.model(), random.input());
                    Recorder seen = new Recorder();
                    List<LstmEngine> opened = Stream.generate(() -> LstmEngine.open(Device.JAVA, random.model()))
                            .limit(devices)
                            .toList();
                    BatchReport report = new BatchJob(opened, batch, batch, chunkRows)
                            .withListener(seen)
                            .run();
                    opened.forEach(LstmEngine::close);
                    Bits.assertSame(random + ", chunks of " + chunkRows, expected, batch.output());
                    int rows = random.input().rows();
                    int chunks = (rows + chunkRows - 1) / chunkRows;
                    assertEquals(chunks, report.chunks());
                    assertEquals(chunks, seen.chunks.size());
                    assertEquals(
                            rows,
                            seen.chunks.stream().mapToInt(ChunkMetrics::rows).sum());
                    assertEquals(rows, seen.chunks.get(chunks - 1).rowsDone());
                    assertEquals(
                            rows,
                            report.devices().stream()
                                    .mapToLong(BatchReport.Share::rows)
                                    .sum());
                    assertEquals(
                            Arrays.stream(random.input().lengths()).sum()
                                    * random.model().flopsPerStep(),
                            report.flops());
                    assertTrue(batch.largestRead() <= chunkRows, "rows read at once: " + batch.largestRead());
                }
            }
        }
    }

    /** A sink that doesn't read y gets the states of every row, with the same bits, and no y. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void yIsLeftOutForASinkThatDoesNotReadIt(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        MemoryBatch batch = new MemoryBatch(random.model(), random.input());
        ChunkSink states = new ForwardingSink(batch) {
            @Override
            public boolean needsY() {
                return false;
            }

            @Override
            public int write(long firstRow, LstmOutput part) {
                assertFalse(part.hasY());
                return super.write(firstRow, part);
            }
        };
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, random.model());
                LstmSession session = engine.newSession()) {
            LstmState expected = session.run(random.input()).finalState();
            new BatchJob(List.of(engine), batch, states, 3).run();
            LstmState found = batch.output().finalState();
            Bits.assertSame(random + ": h", expected.h(), found.h());
            Bits.assertSame(random + ": c", expected.c(), found.c());
        }
    }

    @Test
    void aFailureIsTriedAgainInANewSession() {
        FaultyEngine engine = engine((run, input) -> {
            if (run == 3) {
                throw failure("CL_OUT_OF_LUCK");
            }
        });
        BatchReport report = job(10).run();
        assertRight();
        assertEquals(List.of(Action.RETRY), recorder.actions());
        assertEquals(2, engine.openedSessions());
        assertEquals(11, report.chunks());
        assertEquals(
                "opencl:9.0: rows 20 to 29: CL_OUT_OF_LUCK; trying again",
                recorder.troubles.get(0).toString());
    }

    @Test
    void aLackOfMemoryHalvesTheRows() {
        engine((run, input) -> {
            if (input.rows() > 7) {
                throw noMemory();
            }
        });
        job(40).run();
        assertRight();
        assertEquals(
                List.of(Action.RETRY, Action.HALVE, Action.RETRY, Action.HALVE, Action.RETRY, Action.HALVE),
                recorder.actions());
        assertTrue(recorder.chunks.stream().allMatch(chunk -> chunk.rows() <= 5));
    }

    @Test
    void javasOwnLackOfMemoryIsTreatedAlike() {
        engine((run, input) -> {
            if (input.rows() > 50) {
                throw new OutOfMemoryError("direct buffer memory");
            }
        });
        job(101).run();
        assertRight();
        assertEquals(List.of(Action.RETRY, Action.HALVE, Action.RETRY, Action.HALVE), recorder.actions());
    }

    @Test
    void aSingleRowThatDoesNotFitEndsTheJob() {
        engine((run, input) -> {
            throw noMemory();
        });
        CellFuseException e = assertThrows(CellFuseException.class, () -> job(4).run());
        assertEquals("no device is left: CL_MEM_OBJECT_ALLOCATION_FAILURE", e.getMessage());
    }

    @Test
    void anotherDeviceGetsWhatOneCannotDo() {
        // The first device never manages rows 50 to 59, whoever begins.
        engine((run, input) -> {
            if (input.x().get(0) == whole.x().get(50 * 18)) {
                throw failure("bad rows");
            }
        });
        engine((run, input) -> Thread.sleep(2));
        job(10).run();
        assertRight();
        assertTrue(List.of(List.of(), List.of(Action.RETRY, Action.MOVE)).contains(recorder.actions()));
    }

    @Test
    void aDeviceThatKeepsFailingIsDropped() {
        CountDownLatch begun = new CountDownLatch(1);
        FaultyEngine broken = engine((run, input) -> {
            begun.countDown();
            throw failure("CL_DEVICE_NOT_AVAILABLE");
        });
        engine((run, input) -> begun.await());
        BatchReport report = job(10).run();
        assertRight();
        assertEquals(List.of(Action.RETRY, Action.MOVE, Action.RETRY, Action.DROP), recorder.actions());
        assertEquals(4, broken.runs());
        assertTrue(report.devices().get(0).dropped());
        assertEquals(101, report.devices().get(1).rows());
    }

    @Test
    void theFallbackFinishesWhatIsLeft() {
        AtomicInteger done = new AtomicInteger();
        engine((run, input) -> {
            if (done.incrementAndGet() > 3) {
                throw failure("CL_DEVICE_NOT_AVAILABLE");
            }
        });
        FaultyEngine java = new FaultyEngine(model, 1, NONE);
        BatchReport report =
                job(10).withFallback(() -> BatchEngine.of(java, memory, memory)).run();
        engines.add(java);
        assertRight();
        assertEquals(List.of(Action.RETRY, Action.DROP), recorder.actions());
        assertEquals(
                List.of(30L, 71L),
                report.devices().stream().map(BatchReport.Share::rows).toList());
    }

    @Test
    void withoutAFallbackTheJobEnds() {
        engine((run, input) -> {
            throw failure("CL_DEVICE_NOT_AVAILABLE");
        });
        engine((run, input) -> {
            throw failure("CL_OUT_OF_LUCK");
        });
        CellFuseException e = assertThrows(CellFuseException.class, () -> job(10).run());
        assertTrue(e.getMessage().startsWith("no device is left: CL_"), e.getMessage());
        assertEquals(0, memory.writes().size());
    }

    @Test
    void aDeviceThatHangsIsLeftBehind() {
        CountDownLatch never = new CountDownLatch(1);
        FaultyEngine hanging = engine((run, input) -> {
            if (run == 2) {
                uninterruptibly(never);
            }
        });
        FaultyEngine other = engine((run, input) -> Thread.sleep(1));
        BatchJob job = job(10).withPatience(Duration.ofMillis(300));
        job.run();
        assertTrue(job.isHung(hanging.device()));
        assertFalse(job.isHung(other.device()));
        assertEquals(List.of(Action.DROP), recorder.actions());
        String trouble = recorder.troubles.get(0).toString();
        assertTrue(trouble.matches("opencl:9.0: rows \\d+ to \\d+: no progress for 0 s, .*"), trouble);
        never.countDown();
        while (hanging.openSessions() > 0 && other.openSessions() > 0) {
            Thread.onSpinWait();
        }
        assertEquals(101, memory.writes().size());
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            Bits.assertSame("batch", session.run(whole), memory.output());
        }
    }

    private static void uninterruptibly(CountDownLatch latch) {
        while (latch.getCount() > 0) {
            try {
                latch.await();
            } catch (InterruptedException ignored) {
                // A driver doesn't notice it either.
            }
        }
    }

    @Test
    void aFastDeviceDoesNotWaitForASlowOne() {
        engine((run, input) -> Thread.sleep(run == 1 ? 20_000 : 0));
        FaultyEngine fast = engine((run, input) -> {});
        long start = System.nanoTime();
        job(10).run();
        assertRight();
        assertEquals(11, fast.runs(), "the last chunk, too");
        assertTrue(System.nanoTime() - start < 15e9, "it waited");
    }

    @Test
    void devicesOfSeveralTiersAreRefused() {
        engine(NONE);
        engines.add(new FaultyEngine(model, 1, Tier.TOLERANCE, NONE));
        InvalidInputException e = assertThrows(InvalidInputException.class, () -> job(10).run());
        assertTrue(e.getMessage().contains("opencl:9.1 (tolerance)"), e.getMessage());
        job(10).withMixedTiers().run();
        assertRight();
    }

    @Test
    void errorsOfTheSourceAndTheSinkEndTheJob() {
        CellFuseException failure = failure("disk full");
        engine(NONE);
        engine(NONE);
        ChunkSink full = new ForwardingSink(memory) {
            @Override
            public int write(long firstRow, LstmOutput output) {
                throw failure;
            }
        };
        assertSame(failure, assertThrows(CellFuseException.class, () -> new BatchJob(engines, memory, full, 1).run()));
        ChunkSource cut = new ForwardingSource(memory) {
            @Override
            public void readInput(long firstRow, int rows, int steps, FloatBuffer x) {
                if (firstRow > 50) {
                    LockSupport.parkNanos(100_000_000L); // the other threads wait for this one
                    throw failure;
                }
                super.readInput(firstRow, rows, steps, x);
            }
        };
        assertSame(failure, assertThrows(CellFuseException.class, () -> new BatchJob(engines, cut, memory, 1).run()));
        assertThrows(InvalidInputException.class, () -> new BatchJob(engines, memory, memory, 0));
        for (LstmEngine engine : engines) {
            assertEquals(0, ((FaultyEngine) engine).openSessions());
        }
    }

    @Test
    void aListenersErrorEndsTheJob() {
        engine(NONE);
        IllegalStateException failure = new IllegalStateException("no display");
        BatchJob job = new BatchJob(engines, memory, memory, 10).withListener(new BatchListener() {
            @Override
            public void onChunk(ChunkMetrics chunk) {
                throw failure;
            }
        });
        assertSame(failure, assertThrows(IllegalStateException.class, job::run));
    }

    @Test
    void aJobCanBeCancelled() {
        BatchJob[] job = new BatchJob[1];
        engine((run, input) -> {
            if (run == 3) {
                job[0].cancel();
            }
        });
        job[0] = job(10);
        CellFuseException e = assertThrows(CellFuseException.class, job[0]::run);
        assertTrue(e.getMessage().startsWith("cancelled with "), e.getMessage());
    }

    @Test
    void anInterruptEndsTheJob() {
        engine((run, input) -> Thread.sleep(run == 2 ? 30_000 : 0));
        Thread caller = Thread.currentThread();
        BatchJob job = new BatchJob(engines, memory, memory, 10).withListener(new BatchListener() {
            @Override
            public void onChunk(ChunkMetrics chunk) {
                caller.interrupt();
            }
        });
        long start = System.nanoTime();
        assertThrows(CellFuseException.class, job::run);
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertTrue(System.nanoTime() - start < 15e9, "it waited");
    }
}

package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.DeviceTrouble.Action;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that give wrong values without an error. */
@Timeout(60)
class SpotChecksTest {
    private static final FaultyEngine.Fault NONE = (run, input) -> {};

    private static final int ROWS = 101, SEEDS = Boolean.getBoolean("cellfuse.long") ? 400 : 40;

    private final LstmModel model = RandomLstm.model(new Random(7), Direction.BIDIRECTIONAL, 2, 3, 5, false, true);
    private final LstmInput whole = LstmInput.batchMajor(RandomLstm.values(new Random(8), ROWS * 6 * 3, 1), ROWS, 6)
            .withLengths(IntStream.range(0, ROWS).map(row -> row % 6).toArray());
    private final MemoryBatch memory = new MemoryBatch(model, whole);
    private final List<LstmEngine> engines = new ArrayList<>();
    private final List<DeviceTrouble> troubles = new CopyOnWriteArrayList<>();
    private final BatchListener recorder = new BatchListener() {
        @Override
        public void onTrouble(DeviceTrouble trouble) {
            troubles.add(trouble);
        }
    };

    @TempDir
    private Path folder;

    /** A wrong value in each row of a run. */
    private enum Wrong {
        Y {
            @Override
            void apply(LstmModel model, LstmInput input, LstmOutput output, int row) {
                if (output.hasY()) {
                    int last = input.offset(row, output.steps() - 1, model.outputSize()) + model.outputSize() - 1;
                    flip(output.y(), last, 1);
                }
            }
        },
        MINUS_ZERO {
            @Override
            void apply(LstmModel model, LstmInput input, LstmOutput output, int row) {
                // No row of this batch has all steps, so the last step of y is zero.
                flip(output.y(), input.offset(row, output.steps() - 1, model.outputSize()), 1 << 31);
            }
        },
        NAN {
            @Override
            void apply(LstmModel model, LstmInput input, LstmOutput output, int row) {
                output.y().put(input.offset(row, 0, model.outputSize()), Float.NaN);
            }
        },
        H {
            @Override
            void apply(LstmModel model, LstmInput input, LstmOutput output, int row) {
                int width = model.hiddenWidths()[0];
                flip(FloatBuffer.wrap(output.finalState().h()), row * width + width - 1, 1);
            }
        },
        C {
            @Override
            void apply(LstmModel model, LstmInput input, LstmOutput output, int row) {
                // The state of the last layer and direction is at the end.
                int width = model.cellWidths()[model.cellWidths().length - 1];
                float[] c = output.finalState().c();
                flip(FloatBuffer.wrap(c), c.length - (output.rows() - row) * width, 1);
            }
        };

        abstract void apply(LstmModel model, LstmInput input, LstmOutput output, int row);

        private static void flip(FloatBuffer values, int at, int bits) {
            values.put(at, Float.intBitsToFloat(Float.floatToRawIntBits(values.get(at)) ^ bits));
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

    /** Every row is wrong from the run {@code first} on. */
    private FaultyEngine.Lie from(int first, Wrong wrong) {
        return (run, input, output) -> {
            for (int row = 0; row < output.rows() && run >= first; row++) {
                wrong.apply(model, input, output, row);
            }
        };
    }

    private BatchJob job(int chunkRows) {
        return new BatchJob(List.copyOf(engines), memory, memory, chunkRows).withListener(recorder);
    }

    private List<Action> actions() {
        return troubles.stream().map(DeviceTrouble::action).toList();
    }

    private static LstmOutput expected(LstmModel model, LstmInput input) {
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession session = java.newSession()) {
            return session.run(input);
        }
    }

    private void assertRight() {
        Bits.assertSame("batch", expected(model, whole), memory.output());
        for (LstmEngine engine : engines) {
            assertEquals(0, ((FaultyEngine) engine).openSessions(), "sessions that are left open");
        }
    }

    /** Runs 1, 3, …: also the last one of a device is noticed, after all rows have been finished. */
    private static List<Object[]> liesAndRuns() {
        List<Object[]> cases = new ArrayList<>();
        for (Wrong wrong : Wrong.values()) {
            for (int run : new int[] {1, 3, 11}) {
                cases.add(new Object[] {wrong, run});
            }
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("liesAndRuns")
    void theFallbackComputesEverythingAgain(Wrong wrong, int first) {
        engine(NONE).lying(from(first, wrong));
        FaultyEngine java = new FaultyEngine(model, 1, NONE);
        BatchReport report =
                job(10).withFallback(() -> BatchEngine.of(java, memory, memory)).run();
        engines.add(java);
        assertRight();
        assertEquals(List.of(Action.DISTRUST), actions());
        assertEquals(
                List.of(0L, 101L),
                report.devices().stream().map(BatchReport.Share::rows).toList());
        assertTrue(report.devices().get(0).dropped());
        assertTrue(report.rowsChecked() >= 2, "both devices were checked");
    }

    @ParameterizedTest
    @EnumSource(Wrong.class)
    void anotherDeviceComputesEverythingAgain(Wrong wrong) {
        CountDownLatch lied = new CountDownLatch(1);
        engine((run, input) -> {
                    if (run == 5) {
                        lied.countDown();
                    }
                })
                .lying(from(4, wrong));
        engine((run, input) -> {
            if (run == 2) {
                lied.await(); // the other one has to get as far
            }
        });
        BatchReport report = job(7).run();
        assertRight();
        assertEquals(List.of(Action.DISTRUST), actions());
        assertEquals(
                List.of(0L, 101L),
                report.devices().stream().map(BatchReport.Share::rows).toList());
        assertEquals(15, report.chunks());
    }

    @Test
    void withoutAnotherDeviceTheJobFails() {
        engine(NONE).lying(from(2, Wrong.H));
        CellFuseException e = assertThrows(CellFuseException.class, () -> job(10).run());
        assertTrue(
                e.getMessage()
                        .matches("no device is left: opencl:9.0: a spot check found a wrong value, h_n at state 0,"
                                + " unit 4: expected \\S+ \\(0x[0-9a-f]{8}\\), found \\S+ \\(0x[0-9a-f]{8}\\)"
                                + " \\(cellfuse verify shows more\\)"),
                e.getMessage());
        String trouble = troubles.get(0).toString();
        assertTrue(
                trouble.matches("opencl:9.0: row \\d+: a spot check .*; computing all rows of this device again,"
                        + " without it"),
                trouble);
        assertEquals(0, ((FaultyEngine) engines.get(0)).openSessions());
    }

    @Test
    void allDevicesMayLie() {
        engine(NONE).lying(from(1, Wrong.Y));
        engine(NONE).lying(from(2, Wrong.C));
        engine(NONE).lying(from(3, Wrong.H));
        FaultyEngine java = new FaultyEngine(model, 3, NONE);
        job(10).withFallback(() -> BatchEngine.of(java, memory, memory)).run();
        engines.add(java);
        assertRight();
    }

    @Test
    void aSingleChunkIsChecked() {
        engine(NONE).lying(from(1, Wrong.C));
        engine(NONE);
        BatchReport report = job(ROWS).run();
        assertRight();
        assertTrue(report.rowsChecked() >= 1);
    }

    /** Waits before each run until the rows of the earlier ones have been checked, so that every chunk is. */
    private FaultyEngine.Fault afterChecks(AtomicReference<BatchJob> job) {
        return (run, input) -> {
            while (job.get().rowsChecked() < run - 1) {
                Thread.sleep(1);
            }
        };
    }

    @Test
    void aSingleWrongChunkIsNoticedIfItIsChecked() {
        AtomicReference<BatchJob> job = new AtomicReference<>();
        engine(afterChecks(job)).lying((run, input, output) -> {
            if (run == 5) {
                from(1, Wrong.Y).after(run, input, output);
            }
        });
        FaultyEngine java = new FaultyEngine(model, 1, NONE);
        job.set(job(10).withSpotChecks(1).withFallback(() -> BatchEngine.of(java, memory, memory)));
        job.get().run();
        engines.add(java);
        assertRight();
        assertEquals(List.of(Action.DISTRUST), actions());
    }

    /** A row in five is wrong, in chunks of five, all of which are checked: 21 checks miss it in 1 % of all runs. */
    @Test
    void wrongValuesInSomeRowsAreNoticedOftenEnough() {
        int noticed = 0;
        for (int k = 0; k < 10; k++) {
            AtomicReference<BatchJob> job = new AtomicReference<>();
            engines.clear();
            troubles.clear();
            FaultyEngine liar = engine(afterChecks(job)).lying((run, input, output) -> {
                for (int row = 0; row < output.rows(); row += 5) {
                    Wrong.H.apply(model, input, output, row);
                }
            });
            FaultyEngine java = new FaultyEngine(model, 1, NONE);
            job.set(job(5).withSpotChecks(1).withFallback(() -> BatchEngine.of(java, memory, memory)));
            job.get().run();
            noticed += actions().equals(List.of(Action.DISTRUST)) ? 1 : 0;
            liar.close();
            java.close();
        }
        engines.clear();
        assertTrue(noticed >= 5, "noticed " + noticed + " of 10");
    }

    /** Which NaN a device gives is left open, and the sink gets the same one. */
    @Test
    void everyNaNIsRight() {
        float[] x = RandomLstm.values(new Random(8), ROWS * 6 * 3, 1);
        for (int k = 0; k < x.length; k += 7) {
            x[k] = Float.NaN;
        }
        LstmInput input = LstmInput.batchMajor(x, ROWS, 6);
        MemoryBatch batch = new MemoryBatch(model, input);
        FaultyEngine engine = engine(NONE).lying((run, in, output) -> {
            for (int k = 0; k < output.y().limit(); k++) {
                if (Float.isNaN(output.y().get(k))) {
                    output.y().put(k, Float.intBitsToFloat(0xffc00000 | k));
                }
            }
        });
        BatchReport report = new BatchJob(List.of(engine), batch, batch, 10)
                .withListener(recorder)
                .run();
        assertEquals(List.of(), troubles);
        assertTrue(report.rowsChecked() >= 1);
        Bits.assertSame("batch", expected(model, input), batch.output());
    }

    @Test
    void onlyExactDevicesButJavaAreChecked() {
        engines.add(new FaultyEngine(model, 0, Tier.TOLERANCE, NONE).lying(from(1, Wrong.Y)));
        assertEquals(0, job(10).run().rowsChecked());
        assertEquals(List.of(), troubles);
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model)) {
            assertEquals(
                    0, new BatchJob(List.of(java), memory, memory, 10).run().rowsChecked());
        }
    }

    @Test
    void checksCanBeLeftOut() {
        engine(NONE).lying(from(1, Wrong.Y));
        assertEquals(0, job(10).withoutSpotChecks().run().rowsChecked());
        assertEquals(List.of(), troubles);
        for (double share : new double[] {0, -1, 1.1, Double.NaN}) {
            assertThrows(InvalidInputException.class, () -> job(10).withSpotChecks(share));
        }
    }

    /** A sink that trusts the journal: what is in it is taken for right. */
    private ChunkSink trusting() {
        return new ForwardingSink(memory) {
            @Override
            public int checksum(long firstRow, int rows) {
                return (int) firstRow; // as MemoryBatch writes it
            }

            @Override
            public void markWritten(long firstRow, int rows) {}
        };
    }

    /** The rows of a device that lied are in the journal already, when it is found out. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 11})
    void theJournalForgetsWrongRows(int first) throws Exception {
        Path path = folder.resolve("y.journal");
        Path crashed = folder.resolve("crashed");
        AtomicReference<BatchJob> job = new AtomicReference<>();
        CountDownLatch told = new CountDownLatch(1);
        engine(NONE).lying(from(first, Wrong.Y));
        FaultyEngine java = new FaultyEngine(model, 1, (run, input) -> {
            told.await();
            if (run > 3) {
                throw new CellFuseException("CL_OUT_OF_LUCK");
            }
        });
        ChunkSink trusting = trusting();
        try (Journal journal = Journal.create(path, Map.of())) {
            job.set(new BatchJob(List.copyOf(engines), memory, trusting, 10)
                    .withJournal(journal)
                    .withFallback(() -> BatchEngine.of(java, memory, trusting))
                    .withListener(new BatchListener() {
                        @Override
                        public void onChunk(ChunkMetrics chunk) {
                            job.get().checkpoint();
                        }

                        @Override
                        public void onTrouble(DeviceTrouble trouble) {
                            troubles.add(trouble);
                            if (trouble.action() == Action.DISTRUST) {
                                copy(path, crashed);
                                told.countDown();
                            }
                        }
                    }));
            assertThrows(CellFuseException.class, job.get()::run);
            assertEquals(
                    3,
                    journal.entries().size(),
                    "the chunks of the fallback: " + journal.entries() + " after " + troubles);
        }
        engines.add(java);
        assertEquals(List.of(Action.DISTRUST, Action.RETRY, Action.DROP), actions());
        try (Journal journal = Journal.open(crashed, Map.of())) {
            assertEquals(List.of(), journal.entries());
        }
        try (Journal journal = Journal.open(path, Map.of());
                LstmEngine honest = LstmEngine.open(Device.JAVA, model)) {
            BatchReport report = new BatchJob(List.of(honest), memory, trusting(), 10)
                    .withJournal(journal)
                    .run();
            assertEquals(30, report.finishedBefore());
        }
        assertRight();
    }

    private static void copy(Path from, Path to) {
        try {
            Files.copy(from, to);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A device lies and then fails for good: the journal must not keep what it did. */
    @Test
    void aJobThatFailsForAnotherReasonKeepsNoWrongRows() {
        engine((run, input) -> {
                    if (run > 6) {
                        throw new CellFuseException("CL_DEVICE_NOT_AVAILABLE");
                    }
                })
                .lying(from(3, Wrong.C));
        try (Journal journal = Journal.create(folder.resolve("y.journal"), Map.of())) {
            CellFuseException e = assertThrows(
                    CellFuseException.class, () -> job(10).withJournal(journal).run());
            assertTrue(e.getMessage().startsWith("no device is left: "), e.getMessage());
            assertEquals(List.of(), journal.entries());
        }
        assertTrue(actions().contains(Action.DISTRUST), "troubles: " + troubles);
    }

    private static IntStream seeds() {
        return IntStream.range(1, 1 + SEEDS);
    }

    /** Whichever devices are wrong from some run on: the output is right, or the job has failed. */
    @ParameterizedTest
    @MethodSource("seeds")
    void theOutputIsRightOrTheJobFails(int seed) {
        Random random = new Random(seed);
        RandomLstm batch = RandomLstm.of(seed);
        MemoryBatch batchMemory = new MemoryBatch(batch.model(), batch.input());
        List<FaultyEngine> opened = new ArrayList<>();
        int devices = 1 + random.nextInt(3), liars = 0;
        boolean hasFallback = random.nextBoolean();
        for (int k = 0; k < devices; k++) {
            int first = 1 + random.nextInt(4), pause = random.nextInt(3);
            boolean lies = random.nextInt(3) > 0;
            Wrong wrong = List.of(Wrong.Y, Wrong.H, Wrong.C, Wrong.NAN).get(random.nextInt(4));
            FaultyEngine engine = new FaultyEngine(batch.model(), k, (run, input) -> Thread.sleep(pause));
            opened.add(engine.lying((run, input, output) -> {
                for (int row = 0; row < output.rows() && lies && run >= first; row++) {
                    wrong.apply(batch.model(), input, output, row);
                }
            }));
            liars += lies ? 1 : 0;
        }
        FaultyEngine java = new FaultyEngine(batch.model(), devices, NONE);
        try {
            BatchJob job = new BatchJob(List.copyOf(opened), batchMemory, batchMemory, 1 + random.nextInt(6));
            (hasFallback ? job.withFallback(() -> BatchEngine.of(java, batchMemory, batchMemory)) : job).run();
            Bits.assertSame(batch + ", seed " + seed, expected(batch.model(), batch.input()), batchMemory.output());
        } catch (CellFuseException e) {
            assertFalse(hasFallback || liars < devices, "seed " + seed + ": " + e);
            assertTrue(e.getMessage().startsWith("no device is left: "), e.getMessage());
        }
        opened.add(java);
        opened.forEach(FaultyEngine::close);
    }
}

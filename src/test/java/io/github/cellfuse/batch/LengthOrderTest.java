package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.batch.DeviceTrouble.Action;
import io.github.cellfuse.batch.LengthOrder.Tiles;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.run.RunInput;
import io.github.cellfuse.cli.run.RunShape;
import io.github.cellfuse.format.arrow.ArrowSequences;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LengthOrderTest {
    private static final FaultyEngine.Fault NONE = (run, input) -> {};

    @TempDir
    Path folder;

    /** A random case whose rows differ in length, some of them without a step. */
    private static RandomLstm ragged(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        LstmInput input = random.input();
        int[] lengths =
                new Random(seed + 1).ints(input.rows(), 0, input.steps() + 1).toArray();
        lengths[0] = seed % 2 == 0 ? 0 : input.steps() - 1;
        if (seed % 5 == 0) {
            Arrays.fill(lengths, 0);
        }
        return new RandomLstm(seed, random.model(), input.withLengths(lengths));
    }

    private static LstmOutput whole(RandomLstm random) {
        try (LstmEngine java = LstmEngine.open(Device.JAVA, random.model());
                LstmSession session = java.newSession()) {
            return session.run(random.input());
        }
    }

    private static BatchJob job(
            RandomLstm random, List<? extends LstmEngine> engines, ChunkSource source, ChunkSink sink, int window) {
        LstmInput input = random.input();
        Chunking chunking = new Chunking(input.rows(), Math.max(1, input.rows() / 7));
        LengthOrder order = new LengthOrder(random.model(), source, window);
        return new BatchJob(List.copyOf(engines), order.source(), order.sink(sink), chunking.chunkRows())
                .withLimit(order.limit(chunking.fitting(random.model(), input.steps(), true, false), Tiles.OF_CPU));
    }

    /** Whatever the order, the chunks and the devices, the rows' bits are those of one run over the whole batch. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void theOrderLeavesNoTrace(long seed) {
        RandomLstm random = ragged(seed);
        LstmOutput expected = whole(random);
        long valid = Arrays.stream(random.input().lengths()).asLongStream().sum();
        for (int window : new int[] {1, 2, 7, 50, 1000}) {
            for (int devices = 1; devices <= 2; devices++) {
                MemoryBatch batch = new MemoryBatch(random.model(), random.input());
                List<FaultyEngine> engines = new ArrayList<>();
                for (int k = 0; k < devices; k++) {
                    engines.add(new FaultyEngine(random.model(), k, NONE));
                }
                BatchReport report = job(random, engines, batch, batch, window).run();
                engines.forEach(LstmEngine::close);
                Bits.assertSame(random + ", windows of " + window, expected, batch.output());
                assertEquals(random.input().rows(), batch.writes().size(), "every row is written");
                assertEquals(valid, report.validSteps());
                assertEquals(valid * random.model().flopsPerStep(), report.flops());
            }
        }
    }

    @Test
    void devicesThatFailLeaveNoTrace() {
        RandomLstm random = ragged(2);
        for (int attempt = 0; attempt < 20; attempt++) {
            Random faults = new Random(attempt);
            int most = 1 + faults.nextInt(4);
            MemoryBatch batch = new MemoryBatch(random.model(), random.input());
            List<FaultyEngine> engines = List.of(
                    new FaultyEngine(random.model(), 0, (run, input) -> {
                        if (input.rows() > most) {
                            throw new OutOfMemoryError("direct buffer memory");
                        }
                    }),
                    new FaultyEngine(random.model(), 1, (run, input) -> {
                        if (faults.nextInt(3) == 0) {
                            throw new CellFuseException("CL_OUT_OF_LUCK");
                        }
                    }));
            job(random, engines, batch, batch, 5).run();
            Bits.assertSame(random.toString(), whole(random), batch.output());
            engines.forEach(LstmEngine::close);
        }
    }

    /** A device that lacks memory for many short rows gets fewer of them, and not for that few long ones. */
    @Test
    void aLackOfMemoryHalvesWhatFits() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 3, 5, false, true);
        int[] lengths = new int[400];
        Arrays.fill(lengths, 0, 40, 64);
        Arrays.fill(lengths, 40, 400, 2);
        LstmInput input = LstmInput.batchMajor(RandomLstm.values(new Random(2), 400 * 64 * 3, 1), 400, 64)
                .withLengths(lengths);
        RandomLstm random = new RandomLstm(1, model, input);
        MemoryBatch batch = new MemoryBatch(model, input);
        List<Action> actions = new ArrayList<>();
        List<Integer> rows = new ArrayList<>();
        FaultyEngine engine = new FaultyEngine(model, 0, (run, part) -> {
            if (part.rows() * part.steps() > 12 * 64) {
                throw new OutOfMemoryError("direct buffer memory");
            }
        });
        Chunking chunking = new Chunking(400, 20);
        LengthOrder order = new LengthOrder(model, batch, 400);
        new BatchJob(List.of(engine), order.source(), order.sink(batch), 20)
                .withLimit(order.limit(chunking.fitting(model, 64, true, false), Tiles.OF_CPU))
                .withListener(new BatchListener() {
                    @Override
                    public void onChunk(ChunkMetrics chunk) {
                        rows.add(chunk.rows());
                    }

                    @Override
                    public void onTrouble(DeviceTrouble trouble) {
                        actions.add(trouble.action());
                    }
                })
                .run();
        Bits.assertSame("batch", whole(random), batch.output());
        assertEquals(List.of(Action.RETRY, Action.HALVE), actions);
        assertEquals(List.of(9, 9, 9, 9), rows.subList(0, 4));
        assertTrue(rows.stream().anyMatch(count -> count > 64), rows.toString());
        engine.close();
    }

    /** Rows of a batch in memory with the checksums that a file would have. */
    private static ChunkSink checked(MemoryBatch batch) {
        return new ForwardingSink(batch) {
            @Override
            public int write(long firstRow, LstmOutput output) {
                super.write(firstRow, output);
                return checksum(firstRow, output.rows());
            }

            @Override
            public synchronized int checksum(long firstRow, int rows) {
                CRC32C crc = new CRC32C();
                LstmOutput all = batch.output();
                for (long row = firstRow; row < firstRow + rows; row++) {
                    int width = all.y().limit() / all.rows() / all.steps();
                    for (int step = 0; step < all.steps(); step++) {
                        int at = all.layout() == Layout.BATCH_MAJOR
                                ? (int) row * all.steps() + step
                                : step * all.rows() + (int) row;
                        for (int k = 0; k < width; k++) {
                            crc.update(ByteBuffer.allocate(Float.BYTES)
                                    .putFloat(0, all.y().get(at * width + k)));
                        }
                    }
                }
                return (int) crc.getValue();
            }

            @Override
            public void markWritten(long firstRow, int rows) {
                assertTrue(firstRow >= 0 && firstRow + rows <= batch.rows());
            }
        };
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 4, 6, 7, 8, 9, 11})
    void aJobIsContinuedInChunksOfAnotherSize(long seed) {
        RandomLstm random = ragged(seed);
        MemoryBatch batch = new MemoryBatch(random.model(), random.input());
        ChunkSink sink = checked(batch);
        Path file = folder.resolve("y.journal");
        Map<String, String> identity = Map.of("model", "m");
        int[] ran = new int[1];
        FaultyEngine engine = new FaultyEngine(random.model(), 0, (run, input) -> {
            ran[0] += input.rows();
            if (run == 3) {
                throw new IllegalStateException("the power is cut");
            }
        });
        Journal journal = Journal.create(file, identity);
        BatchJob first = job(random, List.of(engine), batch, sink, 9).withJournal(journal);
        boolean ended = false;
        try {
            first.run();
            ended = true;
        } catch (IllegalStateException cut) {
            assertEquals("the power is cut", cut.getMessage());
        }
        first.checkpoint();
        long finished =
                journal.entries().stream().mapToLong(Journal.Entry::rows).sum();
        journal.close();
        assertTrue(ended || finished < random.input().rows());
        // Damaged rows are computed again.
        batch.output().y().put(0, batch.output().y().get(0) + 1);
        FaultyEngine other = new FaultyEngine(random.model(), 1, NONE);
        try (Journal again = Journal.open(file, identity)) {
            LengthOrder order = new LengthOrder(random.model(), batch, 9);
            BatchReport report = new BatchJob(List.of(other), order.source(), order.sink(sink), 3)
                    .withLimit(order.limit(steps -> 3, Tiles.OF_CPU))
                    .withJournal(again)
                    .run();
            assertTrue(report.finishedBefore() <= finished);
        }
        Bits.assertSame(random.toString(), whole(random), batch.output());
        engine.close();
        other.close();
    }

    @Test
    void positionsAreByDecreasingLengthWithinAWindowAndChunksInInputOrder() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 1, 1, false, true);
        int[] lengths = {1, 5, 3, 0, 5, 2, 9, 9, 1};
        LstmInput input = LstmInput.batchMajor(new float[9 * 9], 9, 9).withLengths(lengths);
        List<String> reads = new ArrayList<>();
        ChunkSource rows = new ForwardingSource(new MemoryBatch(model, input)) {
            @Override
            public void readInput(long firstRow, int count, int steps, FloatBuffer x) {
                reads.add(firstRow + "+" + count);
            }
        };
        LengthOrder order = new LengthOrder(model, rows, 6);
        ChunkSource source = order.source();
        assertArrayEquals(new int[] {5, 3, 5}, source.readLengths(0, 3).orElseThrow());
        source.readInput(0, 3, 5, FloatBuffer.allocate(15));
        assertEquals(List.of("1+2", "4+1"), reads);
        reads.clear();
        assertArrayEquals(
                new int[] {1, 0, 9, 9}, source.readLengths(4, 4).orElseThrow(), "the end of a window and the next");
        source.readInput(4, 4, 9, FloatBuffer.allocate(36));
        assertEquals(List.of("0+1", "3+1", "6+2"), reads);
        assertEquals(3, order.limit(steps -> 3, Tiles.OF_CPU).rows(0));
        assertEquals(2, order.limit(steps -> 3, Tiles.OF_CPU).rows(4), "a chunk ends with its window");
        assertEquals("by length in windows of 6 rows", order.toString());
    }

    /** The rows of an Arrow file have lengths of their own, and lie one after another without padding. */
    @ParameterizedTest
    @ValueSource(strings = {"list", "list_of_lists"})
    void rowsOfAnArrowFile(String name) {
        LstmModel model = RandomLstm.model(new Random(1), 1, 2, 3, false, true);
        Path file = Path.of("src/test/resources/arrow/" + name + ".arrow");
        try (ArrowSequences x = ArrowSequences.open(file, Optional.empty(), 2)) {
            RunShape shape = RunShape.of(model, LayoutOption.NTC, x);
            RunInput rows = new RunInput(shape, x, Optional.empty(), Optional.empty(), Optional.empty());
            int count = (int) shape.rows();
            float[] all = new float[count * shape.steps() * 2];
            x.read(0, FloatBuffer.wrap(all));
            int[] lengths = x.readLengths(0, count).orElseThrow();
            LstmInput whole = LstmInput.batchMajor(all, count, shape.steps()).withLengths(lengths);
            RandomLstm random = new RandomLstm(1, model, whole);
            MemoryBatch batch = new MemoryBatch(model, whole);
            FaultyEngine engine = new FaultyEngine(model, 0, NONE);
            job(random, List.of(engine), rows, batch, 3).run();
            engine.close();
            Bits.assertSame(name, whole(random), batch.output());
        }
    }

    private static ChunkSource shaped(Layout layout, int steps, boolean hasLengths) {
        return new Lengths(new int[] {1}, steps) {
            @Override
            public Layout layout() {
                return layout;
            }

            @Override
            public Optional<int[]> readLengths(long firstRow, int rows) {
                return hasLengths ? super.readLengths(firstRow, rows) : Optional.empty();
            }
        };
    }

    @Test
    void theWindowFollowsFromTheShapes() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 8, 1, false, true);
        assertEquals(
                1 << 17,
                LengthOrder.of(model, shaped(Layout.BATCH_MAJOR, 2000, true))
                        .orElseThrow()
                        .windowRows());
        assertEquals(
                26843,
                LengthOrder.of(model, shaped(Layout.BATCH_MAJOR, 10_000, true))
                        .orElseThrow()
                        .windowRows());
        assertEquals(
                1 << 14,
                LengthOrder.of(model, shaped(Layout.BATCH_MAJOR, 1_000_000, true))
                        .orElseThrow()
                        .windowRows());
        assertTrue(LengthOrder.of(model, shaped(Layout.BATCH_MAJOR, 200, true)).isEmpty(), "short rows");
        assertTrue(
                LengthOrder.of(model, shaped(Layout.BATCH_MAJOR, 2000, false)).isEmpty(), "no lengths");
        assertTrue(LengthOrder.of(model, shaped(Layout.TIME_MAJOR, 2000, true)).isEmpty(), "time first");
    }

    /** Rows of which only the lengths matter. */
    private static class Lengths implements ChunkSource {
        private final int[] lengths;
        private final int steps;

        Lengths(int[] lengths, int steps) {
            this.lengths = lengths;
            this.steps = steps;
        }

        @Override
        public Layout layout() {
            return Layout.BATCH_MAJOR;
        }

        @Override
        public long rows() {
            return lengths.length;
        }

        @Override
        public int steps() {
            return steps;
        }

        @Override
        public void readInput(long firstRow, int rows, int count, FloatBuffer x) {}

        @Override
        public Optional<int[]> readLengths(long firstRow, int rows) {
            return Optional.of(Arrays.copyOfRange(lengths, (int) firstRow, (int) firstRow + rows));
        }

        @Override
        public Optional<LstmState> readInitialState(long firstRow, int rows) {
            return Optional.empty();
        }
    }

    /** Counts what launches over the rows of each step would cover, with tiles of some heights. */
    private static final class Coverage {
        private final int[] tiles;
        private final long[] covered;
        private long valid;

        Coverage(int... tiles) {
            this.tiles = tiles;
            covered = new long[tiles.length];
        }

        void add(LstmInput input) {
            int[] active = new int[input.steps() + 2];
            for (int length : input.lengths()) {
                active[length]++;
                valid += length;
            }
            for (int step = input.steps(); step >= 1; step--) {
                active[step] += active[step + 1];
                for (int k = 0; k < tiles.length; k++) {
                    covered[k] += (active[step] + tiles[k] - 1) / tiles[k] * tiles[k];
                }
            }
        }
    }

    /**
     * Lengths of 1 to 2000, uniformly: at most a twentieth of the work is wasted, both in what is read, moved and kept
     * in memory, and in what the launches of a device compute. A CPU has tiles of 6 rows or fewer, a GPU of up to 64.
     */
    @ParameterizedTest
    @CsvSource({"20000, 64, false", "20000, 8, false", "50000, 256, false", "20000, 64, true", "50000, 8, true"})
    void littleOfTheWorkIsPadding(int rows, int features, boolean apart) {
        LstmModel model = RandomLstm.model(new Random(1), 1, features, 64, false, true);
        int[] lengths = new Random(2).ints(rows, 1, 2001).toArray();
        ChunkSource source = new Lengths(lengths, 2000);
        Chunking chunking = Chunking.automatic(model, rows, 2000, false, apart);
        LengthOrder order = LengthOrder.of(model, source).orElseThrow();
        ChunkLimit limit =
                order.limit(chunking.fitting(model, 2000, false, apart), apart ? Tiles.OF_GPU : Tiles.OF_CPU);
        Coverage coverage = apart ? new Coverage(16, 32, 64) : new Coverage(3, 6);
        long padded = 0;
        for (long first = 0; first < rows; ) {
            int count = (int) Math.min(limit.rows(first), rows - first);
            int[] part = order.source().readLengths(first, count).orElseThrow();
            int steps = Arrays.stream(part).max().orElseThrow();
            assertTrue((long) count * steps <= chunking.chunkRows() * 2000L, "more than the memory");
            coverage.add(LstmInput.of(Layout.BATCH_MAJOR, FloatBuffer.allocate(0), count, steps)
                    .withLengths(part));
            padded += (long) count * steps;
            first += count;
        }
        long valid = Arrays.stream(lengths).asLongStream().sum();
        assertEquals(valid, coverage.valid);
        double padding = (double) (padded - valid) / valid;
        assertTrue(padding <= 0.05, "padding " + padding);
        for (int k = 0; k < coverage.tiles.length; k++) {
            double waste = (double) (coverage.covered[k] - valid) / valid;
            assertTrue(waste <= 0.05, "tiles of " + coverage.tiles[k] + " rows waste " + waste);
        }
    }

    @Test
    void errorsOfTheLengthsEndTheJob() {
        RandomLstm random = ragged(3);
        MemoryBatch batch = new MemoryBatch(random.model(), random.input());
        CellFuseException failure = new CellFuseException("the disk failed");
        ChunkSource broken = new ForwardingSource(batch) {
            @Override
            public Optional<int[]> readLengths(long firstRow, int rows) {
                throw failure;
            }
        };
        FaultyEngine engine = new FaultyEngine(random.model(), 0, NONE);
        BatchJob job = job(random, List.of(engine), broken, batch, 5);
        assertEquals(failure, assertThrows(CellFuseException.class, job::run));
        engine.close();
    }
}

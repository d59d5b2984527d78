package io.github.cellfuse.batch;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.zip.CRC32C;

/**
 * An order in which rows of about the same length are in one chunk, so that little of it is padding. The job counts
 * <em>positions</em>: within each window of rows, the longest row comes first. The source that it gets reads the rows
 * at a range of positions, and its sink puts their results where the rows are.
 *
 * <pre>
 *   rows of a window, in input order      ▂▇▅▁▆▃█▄        4 is taken from the file …
 *   positions, by decreasing length       █▇▆▅▄▃▂▁
 *   chunks of positions                   ┗┻┛┗━┻━┻┛       … by the chunk that has it; short rows make larger chunks
 * </pre>
 *
 * <p>Within a chunk, rows are in input order, as files are read and written fastest so, and a session sorts them
 * anyway. Rows don't depend on each other, so this can't change a bit of the result.
 *
 * <p>The order follows from the shapes and the lengths alone, never from a device or the size of chunks: a journal
 * counts positions, too. Thread safe; a few windows are in memory.
 *
 * <pre>{@code
 * LengthOrder order = LengthOrder.of(model, source).orElseThrow();
 * new BatchJob(engines, order.source(), order.sink(sink), chunking.chunkRows())
 *         .withLimit(order.limit(chunking.fitting(model, source.steps(), true, false), Tiles.OF_CPU))
 *         .run();
 * }</pre>
 */
public final class LengthOrder {
    /** The x of a window: enough rows to find some of every length, and few enough to be in the page cache. */
    private static final long WINDOW_BYTES = 8L << 30;

    /** Windows have at least so many rows, also if they are long … */
    private static final int FEWEST_ROWS = 1 << 14;

    /** … and at most so many: what is known of a window is in memory, and so are the gaps in its output. */
    private static final int MOST_ROWS = 1 << 17;

    /**
     * Rows of fewer values {@code T·max(I,32)} stay in the order of the file: hundreds of them fit in a chunk, in which
     * the session sorts them, and computing one takes no longer than to read and write it by itself.
     */
    private static final int SHORTEST_ROW = 1 << 14, LEAST_WIDTH = 32;

    /** Lanes may be in different windows, though not for long. */
    private static final int WINDOWS = 4;

    /** A chunk ends when so many times its padding is more than its steps. */
    private static final int LEAST_STEPS_TO_PADDING = 32;

    /** Rows in which a device computes; a chunk of other numbers of rows would leave a part of the last tile empty. */
    public enum Tiles {
        /** No GPU has a larger tile than 64 rows. Hundreds of rows take it no longer than a few. */
        OF_GPU(64, 64, 256),
        /** A CPU has tiles of 6 rows, or of 13 if a layer is large: 78 are multiples of both. */
        OF_CPU(78, 6, 60);
        private final int many, few, fewest;

        Tiles(int many, int few, int fewest) {
            this.many = many;
            this.few = few;
            this.fewest = fewest;
        }

        private int wholeTiles(int rows) {
            int tile = rows >= many ? many : few;
            return rows < tile ? rows : rows - rows % tile;
        }
    }

    /**
     * What is known of a window.
     *
     * @param first its first row, and its first position
     * @param order the rows from the first on, in the order of the positions
     * @param lengths their lengths, by position
     */
    private record Window(long first, int[] order, int[] lengths) {}

    private final LstmModel model;
    private final ChunkSource rows;
    private final int windowRows;

    private final Map<Long, Window> recent = new LinkedHashMap<>(WINDOWS, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Window> eldest) {
            return size() > WINDOWS;
        }
    };

    /** An order with windows of {@code windowRows} rows. */
    LengthOrder(LstmModel model, ChunkSource rows, int windowRows) {
        this.model = model;
        this.rows = rows;
        this.windowRows = windowRows;
    }

    /**
     * Returns the order for the rows of {@code source}. Empty if their own order suits as well: without lengths, if
     * rows are short, and if time comes first, as then a row isn't in one piece.
     */
    public static Optional<LengthOrder> of(LstmModel model, ChunkSource source) {
        long bytes = (long) source.steps() * model.inputSize() * Float.BYTES;
        if (source.layout() != Layout.BATCH_MAJOR
                || (long) source.steps() * Math.max(model.inputSize(), LEAST_WIDTH) < SHORTEST_ROW
                || source.readLengths(0, 1).isEmpty()) {
            return Optional.empty();
        }
        long windowRows = Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, WINDOW_BYTES / bytes));
        return Optional.of(new LengthOrder(model, source, (int) windowRows));
    }

    /** Returns the rows of a window. */
    public int windowRows() {
        return windowRows;
    }

    /** Returns the rows in this order. */
    public ChunkSource source() {
        return new Source();
    }

    /** Returns what writes results in this order to {@code sink}, which has the order of the rows. */
    public ChunkSink sink(ChunkSink sink) {
        return new Sink(sink);
    }

    /**
     * Returns how many rows a chunk has: as many as fit, unless shorter rows would leave too much of it empty.
     *
     * @param fitting how many rows of a length fit in the memory of a chunk
     */
    public ChunkLimit limit(IntUnaryOperator fitting, Tiles tiles) {
        return first -> {
            Window window = window(first);
            int[] lengths = window.lengths;
            int from = (int) (first - window.first);
            int steps = Math.max(1, lengths[from]);
            int most = Math.min(Math.max(1, fitting.applyAsInt(steps)), lengths.length - from);
            int count = 0;
            for (long valid = 0; count < most; count++) {
                valid += lengths[from + count];
                long padding = (long) steps * (count + 1) - valid;
                if (count >= tiles.fewest && LEAST_STEPS_TO_PADDING * padding > valid) {
                    break;
                }
            }
            boolean isLast = from + count == lengths.length;
            return isLast ? count : tiles.wholeTiles(count);
        };
    }

    /** Describes the order; equal texts mean equal orders of the same rows. */
    @Override
    public String toString() {
        return "by length in windows of " + windowRows + " rows";
    }

    private Window window(long position) {
        long first = position / windowRows * windowRows;
        synchronized (recent) {
            return recent.computeIfAbsent(first, this::read);
        }
    }

    private Window read(long first) {
        int count = (int) Math.min(windowRows, rows.rows() - first);
        int[] given = rows.readLengths(first, count).orElseThrow();
        // Ascending keys: the longest row first, rows of one length in their order.
        long[] keys = new long[count];
        for (int row = 0; row < count; row++) {
            keys[row] = (long) -given[row] << Integer.SIZE | row;
        }
        Arrays.sort(keys);
        int[] order = new int[count], lengths = new int[count];
        for (int position = 0; position < count; position++) {
            order[position] = (int) keys[position];
            lengths[position] = given[order[position]];
        }
        return new Window(first, order, lengths);
    }

    /** Receives a part of a range of positions that is in one window. */
    private interface Part {
        void of(Window window, int firstPosition, int at, int count);
    }

    private void forWindows(long first, int count, Part part) {
        for (int at = 0, size; at < count; at += size) {
            Window window = window(first + at);
            int from = (int) (first + at - window.first);
            size = Math.min(count - at, window.order.length - from);
            part.of(window, from, at, size);
        }
    }

    /** Returns the rows at {@code count} positions, in ascending order. */
    private long[] rowsAt(long first, int count) {
        long[] all = new long[count];
        forWindows(first, count, (window, from, at, size) -> {
            for (int k = 0; k < size; k++) {
                all[at + k] = window.first + window.order[from + k];
            }
            Arrays.sort(all, at, at + size);
        });
        return all;
    }

    /** Returns the lengths of these rows, in the same order. */
    private int[] lengthsAt(long first, int count) {
        int[] all = new int[count];
        forWindows(first, count, (window, from, at, size) -> {
            long[] keys = new long[size];
            for (int k = 0; k < size; k++) {
                keys[k] = (long) window.order[from + k] << Integer.SIZE | window.lengths[from + k];
            }
            Arrays.sort(keys);
            for (int k = 0; k < size; k++) {
                all[at + k] = (int) keys[k];
            }
        });
        return all;
    }

    private final class Source implements ChunkSource {
        @Override
        public Layout layout() {
            return rows.layout();
        }

        @Override
        public long rows() {
            return rows.rows();
        }

        @Override
        public int steps() {
            return rows.steps();
        }

        @Override
        public void readInput(long first, int count, int steps, FloatBuffer x) {
            rows.readInput(rowsAt(first, count), steps, x);
        }

        @Override
        public Optional<int[]> readLengths(long first, int count) {
            return Optional.of(lengthsAt(first, count));
        }

        @Override
        public Optional<LstmState> readInitialState(long first, int count) {
            if (rows.readInitialState(0, 1).isEmpty()) {
                return Optional.empty();
            }
            LstmState all = LstmState.zeros(model, count);
            RowRuns.forEach(rowsAt(first, count), (row, at, size) -> {
                LstmState run = rows.readInitialState(row, size).orElseThrow();
                StateRows.copy(model, run, 0, all, at, size);
            });
            return Optional.of(all);
        }
    }

    private final class Sink implements ChunkSink {
        private final ChunkSink to;

        Sink(ChunkSink to) {
            this.to = to;
        }

        @Override
        public boolean needsY() {
            return to.needsY();
        }

        @Override
        public int write(long first, LstmOutput output) {
            Checksums all = new Checksums(rowsAt(first, output.rows()));
            RowRuns.forEach(all.rows, (row, at, count) -> all.add(to.write(row, part(output, at, count))));
            return all.value();
        }

        @Override
        public int checksum(long first, int count) {
            Checksums all = new Checksums(rowsAt(first, count));
            RowRuns.forEach(all.rows, (row, at, size) -> all.add(to.checksum(row, size)));
            return all.value();
        }

        @Override
        public void markWritten(long first, int count) {
            RowRuns.forEach(rowsAt(first, count), (row, at, size) -> to.markWritten(row, size));
        }

        @Override
        public void reserve() {
            to.reserve();
        }

        @Override
        public void force() {
            to.force();
        }
    }

    /** The checksum of several runs: that of a single one, or the CRC-32C of those of all. */
    private static final class Checksums {
        private final long[] rows;
        private final CRC32C all = new CRC32C();
        private int last;

        Checksums(long[] rows) {
            this.rows = rows;
        }

        void add(int checksum) {
            last = checksum;
            all.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, checksum));
        }

        int value() {
            return RowRuns.isOne(rows) ? last : (int) all.getValue();
        }
    }

    /** Returns the results of {@code count} rows, from row {@code at} of {@code output} on. */
    private LstmOutput part(LstmOutput output, int at, int count) {
        if (count == output.rows()) {
            return output;
        }
        LstmState state = LstmState.zeros(model, count);
        StateRows.copy(model, output.finalState(), at, state, 0, count);
        int steps = output.steps();
        if (!output.hasY()) {
            return LstmOutput.statesOnly(output.layout(), count, steps, state);
        }
        int width = model.outputSize();
        FloatBuffer y;
        if (output.layout() == Layout.BATCH_MAJOR) {
            y = output.y().slice(at * steps * width, count * steps * width);
        } else {
            y = FloatBuffer.allocate(steps * count * width);
            for (int step = 0; step < steps; step++) {
                y.put(step * count * width, output.y(), (step * output.rows() + at) * width, count * width);
            }
        }
        return new LstmOutput(output.layout(), count, steps, y, state);
    }
}

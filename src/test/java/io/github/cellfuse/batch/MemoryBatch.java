package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A batch in memory, cut and put together element by element. */
final class MemoryBatch implements ChunkSource, ChunkSink {
    private final LstmModel model;
    private final LstmInput whole;
    private final LstmOutput output;
    private int largestRead;
    private final AtomicInteger forced = new AtomicInteger();
    private final Map<Long, Integer> writes = new ConcurrentHashMap<>();

    MemoryBatch(LstmModel model, LstmInput whole) {
        this.model = model;
        this.whole = whole;
        output = LstmOutput.allocate(model, whole);
    }

    @Override
    public Layout layout() {
        return whole.layout();
    }

    @Override
    public long rows() {
        return whole.rows();
    }

    @Override
    public int steps() {
        return whole.steps();
    }

    @Override
    public synchronized void readInput(long firstRow, int rows, int steps, FloatBuffer x) {
        largestRead = Math.max(largestRead, rows);
        assertTrue(x.isDirect());
        assertEquals(rows * steps * model.inputSize(), x.limit());
        LstmInput chunk = LstmInput.of(layout(), x, rows, steps);
        copy(whole, (int) firstRow, whole.x(), chunk, 0, x, rows, steps, model.inputSize());
    }

    @Override
    public Optional<int[]> readLengths(long firstRow, int rows) {
        int[] lengths = whole.lengths();
        boolean isFull = Arrays.stream(lengths).allMatch(length -> length == steps());
        return isFull
                ? Optional.empty()
                : Optional.of(Arrays.copyOfRange(lengths, (int) firstRow, (int) firstRow + rows));
    }

    @Override
    public Optional<LstmState> readInitialState(long firstRow, int rows) {
        return whole.initialState().map(state -> {
            LstmState part = LstmState.zeros(model, rows);
            copyRows(
                    state.h(),
                    whole.rows(),
                    (int) firstRow,
                    part.h(),
                    rows,
                    0,
                    rows,
                    model.last().stateSize());
            copyRows(
                    state.c(),
                    whole.rows(),
                    (int) firstRow,
                    part.c(),
                    rows,
                    0,
                    rows,
                    model.last().hiddenSize());
            return part;
        });
    }

    @Override
    public synchronized int write(long firstRow, LstmOutput part) {
        for (int row = 0; row < part.rows(); row++) {
            writes.merge(firstRow + row, 1, Integer::sum);
        }
        if (part.hasY()) {
            LstmInput chunk = LstmInput.of(layout(), part.y(), part.rows(), part.steps());
            copy(chunk, 0, part.y(), whole, (int) firstRow, output.y(), part.rows(), part.steps(), model.outputSize());
            zero((int) firstRow, part.rows(), part.steps());
        }
        LstmState from = part.finalState();
        LstmState to = output.finalState();
        copyRows(
                from.h(),
                part.rows(),
                0,
                to.h(),
                whole.rows(),
                (int) firstRow,
                part.rows(),
                model.last().stateSize());
        copyRows(
                from.c(),
                part.rows(),
                0,
                to.c(),
                whole.rows(),
                (int) firstRow,
                part.rows(),
                model.last().hiddenSize());
        return (int) firstRow;
    }

    @Override
    public int checksum(long firstRow, int rows) {
        throw new AssertionError("nothing is resumed here");
    }

    @Override
    public void force() {
        forced.incrementAndGet();
    }

    /** Returns the results of the whole batch. */
    LstmOutput output() {
        return output;
    }

    /** Returns the largest number of rows that were read at once. */
    int largestRead() {
        return largestRead;
    }

    /** Returns how often each row was written. */
    Map<Long, Integer> writes() {
        return writes;
    }

    /** Returns how often the results were made durable. */
    int forced() {
        return forced.get();
    }

    /** What a part leaves out is zeros. */
    private void zero(int firstRow, int rows, int firstStep) {
        for (int row = firstRow; row < firstRow + rows; row++) {
            for (int step = firstStep; step < steps(); step++) {
                for (int k = 0; k < model.outputSize(); k++) {
                    output.y().put(whole.offset(row, step, model.outputSize()) + k, 0);
                }
            }
        }
    }

    private void copy(
            LstmInput from,
            int firstFrom,
            FloatBuffer source,
            LstmInput to,
            int firstTo,
            FloatBuffer target,
            int rows,
            int steps,
            int features) {
        for (int row = 0; row < rows; row++) {
            for (int step = 0; step < steps; step++) {
                for (int f = 0; f < features; f++) {
                    target.put(
                            to.offset(firstTo + row, step, features) + f,
                            source.get(from.offset(firstFrom + row, step, features) + f));
                }
            }
        }
    }

    private static void copyRows(
            float[] from, int rowsFrom, int firstFrom, float[] to, int rowsTo, int firstTo, int rows, int width) {
        for (int k = 0; k < to.length / width / rowsTo; k++) {
            System.arraycopy(
                    from, (k * rowsFrom + firstFrom) * width, to, (k * rowsTo + firstTo) * width, rows * width);
        }
    }
}

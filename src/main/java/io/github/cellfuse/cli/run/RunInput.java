package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.batch.ChunkSource;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyStream;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * The input arrays of a run, in files of any size. The constructor checks shapes and lengths. Features and states may
 * have any value, so they are only read when they are needed. Doesn't own the arrays.
 */
public final class RunInput implements ChunkSource {
    /** The number of lengths to read at a time. */
    private static final int LENGTHS = 1 << 17;

    /** Lengths of the rows from {@code first} on. */
    private record Lengths(long first, int[] lengths) {}

    private final RunShape shape;
    private final ArraySource x;
    private final boolean hasLengths;
    private volatile Lengths recent = new Lengths(-1, new int[0]);
    private final Optional<NpyArray> lengths;
    private final Optional<NpyArray> hidden;
    private final Optional<NpyArray> cell;

    /** Rejects arrays that don't fit {@code shape}. */
    public RunInput(
            RunShape shape,
            ArraySource x,
            Optional<NpyArray> lengths,
            Optional<NpyArray> hidden,
            Optional<NpyArray> cell) {
        this.shape = shape;
        this.x = x;
        this.lengths = lengths;
        this.hidden = hidden;
        this.cell = cell;
        hidden.ifPresent(array -> checkShape("h0", shape.shape(only(shape.hidden(), array)), array));
        cell.ifPresent(array -> checkShape("c0", shape.shape(only(shape.cell(), array)), array));
        lengths.ifPresent(this::checkLengths);
        hasLengths =
                lengths.isPresent() || shape.rows() > 0 && x.readLengths(0, 1).isPresent();
    }

    private void checkLengths(NpyArray array) {
        if (x.readLengths(0, 1).isPresent()) {
            throw new InvalidInputException(array.name() + ": expected no --lengths, as the rows of " + x.name()
                    + " have lengths of their own");
        }
        checkShape("lengths", new long[] {shape.rows()}, array);
        for (long first = 0; first < shape.rows(); first += LENGTHS) {
            int[] part = array.readInts(first, (int) Math.min(LENGTHS, shape.rows() - first));
            for (int k = 0; k < part.length; k++) {
                if (part[k] < 0 || part[k] > shape.steps()) {
                    throw new InvalidInputException(array.name() + ": lengths[" + (first + k) + "]: expected 0 to "
                            + shape.steps() + " steps, found " + part[k]);
                }
            }
        }
    }

    /** Returns the single array that holds the states of all layers, which exists if the layers have one size. */
    private static RunShape.States only(List<RunShape.States> arrays, NpyArray given) {
        if (arrays.size() > 1) {
            throw new InvalidInputException(
                    given.name() + ": initial states: expected a model whose layers have one size and direction, found"
                            + " layers that differ");
        }
        return arrays.get(0);
    }

    private static void checkShape(String what, long[] expected, NpyArray array) {
        if (!Arrays.equals(expected, array.shape())) {
            throw new InvalidInputException(array.name() + ": " + what + " shape: expected " + Arrays.toString(expected)
                    + ", found " + Arrays.toString(array.shape()));
        }
    }

    @Override
    public Layout layout() {
        return shape.layout();
    }

    @Override
    public long rows() {
        return shape.rows();
    }

    @Override
    public int steps() {
        return shape.steps();
    }

    @Override
    public void readInput(long firstRow, int rows, int steps, FloatBuffer target) {
        if (steps == shape.steps() || shape.layout() == Layout.TIME_MAJOR) {
            shape.inputBlocks().withSteps(steps).read(x, firstRow, rows, target);
        } else {
            readInput(LongStream.range(firstRow, firstRow + rows).toArray(), steps, target);
        }
    }

    @Override
    public void readInput(long[] rows, int steps, FloatBuffer target) {
        if (shape.layout() == Layout.TIME_MAJOR) {
            ChunkSource.super.readInput(rows, steps, target);
        } else {
            long row = shape.inputBlocks().width();
            x.readPieces(Arrays.stream(rows).map(each -> each * row).toArray(), target.slice(0, target.limit()));
        }
    }

    /** Returns whether rows may be read that don't follow each other. */
    boolean isFastByRow() {
        return x.isFastByRow();
    }

    /** Returns x if it comes through a pipe, and so has to be told which rows are finished. */
    Optional<NpyStream> stream() {
        return x instanceof NpyStream stream ? Optional.of(stream) : Optional.empty();
    }

    /** Forgets the rows before {@code row} if they came through a pipe. */
    void release(long row) {
        stream().ifPresent(pipe -> pipe.release(row * shape.inputBlocks().width()));
    }

    /** A few at a time come from a block in memory: to ask for the lengths of single rows is usual. */
    @Override
    public Optional<int[]> readLengths(long firstRow, int rows) {
        long first = firstRow - firstRow % LENGTHS;
        if (firstRow + rows > first + LENGTHS || !hasLengths) {
            return readFromFile(firstRow, rows);
        }
        Lengths block = recent;
        if (block.first != first) {
            int count = (int) Math.min(LENGTHS, shape.rows() - first);
            block = new Lengths(first, readFromFile(first, count).orElseThrow());
            recent = block;
        }
        return Optional.of(
                Arrays.copyOfRange(block.lengths, (int) (firstRow - first), (int) (firstRow - first) + rows));
    }

    private Optional<int[]> readFromFile(long firstRow, int rows) {
        return lengths.isPresent()
                ? lengths.map(array -> array.readInts(firstRow, rows))
                : x.readLengths(firstRow, rows);
    }

    @Override
    public Optional<LstmState> readInitialState(long firstRow, int rows) {
        if (hidden.isEmpty() && cell.isEmpty()) {
            return Optional.empty();
        }
        LstmState state = LstmState.zeros(shape.model(), rows);
        hidden.ifPresent(array ->
                shape.hidden().get(0).blocks(shape.rows()).read(array, firstRow, rows, FloatBuffer.wrap(state.h())));
        cell.ifPresent(array ->
                shape.cell().get(0).blocks(shape.rows()).read(array, firstRow, rows, FloatBuffer.wrap(state.c())));
        return Optional.of(state);
    }
}

package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * A batch of sequences to run. Only read, never changed, by a session; neither may the caller change {@code x} or the state while
 * one runs. Several sessions may read the same batch at once.
 *
 * <p>A record with arrays and a buffer: don't compare two by {@code equals}, which takes arrays for equal only when they are the
 * same one.
 *
 * @param layout the order of {@code x}'s (and of the output's) outer dimensions
 * @param rows {@code N}, at least 1
 * @param steps {@code T}, at least 1
 * @param x the features, {@code [T,N,I]} or {@code [N,T,I]} by {@code layout}, from index 0 on: the position doesn't matter
 * @param lengths {@code [N]} valid steps of each row, 0 to {@code T}, or null: all {@code T}. Past its length a row's output is
 *     zero and its state stands still; a row of length 0 passes its state through.
 * @param initialState the states before the first step, or null: zeros
 */
public record LstmInput(Layout layout, int rows, int steps, FloatBuffer x, int[] lengths, LstmState initialState) {
    public LstmInput {
        Objects.requireNonNull(layout, "layout");
        Objects.requireNonNull(x, "x");
        if (rows < 1) {
            throw new InvalidInputException("rows N: expected at least 1, found " + rows);
        }
        if (steps < 1) {
            throw new InvalidInputException("time steps T: expected at least 1, found " + steps);
        }
        if (lengths != null) {
            lengths = lengths.clone();
            if (lengths.length != rows) {
                throw new InvalidInputException(
                        "lengths: expected " + rows + " values (one a row), found " + lengths.length);
            }
            for (int row = 0; row < rows; row++) {
                if (lengths[row] < 0 || lengths[row] > steps) {
                    throw new InvalidInputException(
                            "lengths[" + row + "]: expected 0 to " + steps + " steps, found " + lengths[row]);
                }
            }
        }
    }

    /** Full-length sequences {@code x [N,T,I]} from zero states. */
    public static LstmInput batchMajor(float[] x, int rows, int steps) {
        return new LstmInput(Layout.BATCH_MAJOR, rows, steps, FloatBuffer.wrap(x), null, null);
    }

    /** Full-length sequences {@code x [T,N,I]} from zero states. */
    public static LstmInput timeMajor(float[] x, int steps, int rows) {
        return new LstmInput(Layout.TIME_MAJOR, rows, steps, FloatBuffer.wrap(x), null, null);
    }

    /** The same batch with other valid lengths {@code [N]}. */
    public LstmInput withLengths(int... lengths) {
        return new LstmInput(layout, rows, steps, x, lengths, initialState);
    }

    /** The same batch from another initial state. */
    public LstmInput withInitialState(LstmState state) {
        return new LstmInput(layout, rows, steps, x, lengths, state);
    }

    /** The initial state where one was given. */
    public Optional<LstmState> initial() {
        return Optional.ofNullable(initialState);
    }

    /** {@code [N]} valid steps of each row, as a new array. */
    @Override
    public int[] lengths() {
        if (lengths != null) {
            return lengths.clone();
        }
        int[] full = new int[rows];
        Arrays.fill(full, steps);
        return full;
    }

    /**
     * Index of the first feature of {@code (row, step)} in a tensor of {@code features} per step in this batch's layout: a batch
     * that passes {@link #check} has one.
     *
     * @throws ArithmeticException when it is beyond what a buffer holds
     */
    public int offset(int row, int step, int features) {
        long index = layout == Layout.BATCH_MAJOR ? (long) row * steps + step : (long) step * rows + row;
        return Math.toIntExact(Math.multiplyExact(index, features));
    }

    /** Refuses a batch that doesn't fit {@code model}: feature count, state shapes, sizes beyond a buffer. */
    public void check(LstmModel model) {
        int expected = Sizes.elements("input [N,T,I]", rows, steps, model.inputSize());
        if (x.limit() != expected) {
            throw new InvalidInputException("input: expected " + rows + " rows x " + steps + " steps x "
                    + model.inputSize() + " features = " + expected + " values, found " + x.limit());
        }
        Sizes.elements("output [N,T,D*P]", rows, steps, model.outputSize());
        if (initialState != null) {
            initialState.check(model, rows);
        }
    }
}

package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;

/**
 * A batch of sequences to run: {@code N} rows of at most {@code T} time steps with {@code I} features each.
 *
 * <pre>{@code
 * LstmInput input = LstmInput.batchMajor(x, rows, steps).withLengths(lengths).withInitialState(state);
 * }</pre>
 *
 * <p>Holds {@code x} and the initial state without copying them. A session only reads them; the caller must not change
 * them while it runs. Several sessions may read the same batch at once. Two batches are equal only if they are the same
 * object.
 */
public final class LstmInput {
    private final Layout layout;
    private final int rows, steps;
    private final FloatBuffer x;
    private final int[] lengths; // null: every row has all T steps
    private final LstmState initialState; // null: zeros

    private LstmInput(Layout layout, FloatBuffer x, int rows, int steps, int[] lengths, LstmState initialState) {
        this.layout = layout;
        this.x = x;
        this.rows = rows;
        this.steps = steps;
        this.lengths = lengths;
        this.initialState = initialState;
    }

    /**
     * Returns a batch of full-length sequences that start from states of zeros.
     *
     * @param layout the order of the outer dimensions of {@code x}, and of the output
     * @param x the features, {@code [N,T,I]} or {@code [T,N,I]} by {@code layout}, from index 0 to the limit; the
     *     position doesn't matter
     * @param rows {@code N}, at least 1
     * @param steps {@code T}, at least 1
     * @throws InvalidInputException if there is no row or no time step
     */
    public static LstmInput of(Layout layout, FloatBuffer x, int rows, int steps) {
        Objects.requireNonNull(layout, "layout");
        Objects.requireNonNull(x, "x");
        if (rows < 1) {
            throw new InvalidInputException("rows N: expected at least 1, found " + rows);
        }
        if (steps < 1) {
            throw new InvalidInputException("time steps T: expected at least 1, found " + steps);
        }
        return new LstmInput(layout, x, rows, steps, null, null);
    }

    /** Returns a batch of full-length sequences {@code x [N,T,I]} that start from states of zeros. */
    public static LstmInput batchMajor(float[] x, int rows, int steps) {
        return of(Layout.BATCH_MAJOR, FloatBuffer.wrap(x), rows, steps);
    }

    /** Returns a batch of full-length sequences {@code x [T,N,I]} that start from states of zeros. */
    public static LstmInput timeMajor(float[] x, int rows, int steps) {
        return of(Layout.TIME_MAJOR, FloatBuffer.wrap(x), rows, steps);
    }

    /**
     * Returns the same batch with other valid lengths, which are copied.
     *
     * @param lengths {@code [N]} the valid steps of each row, 0 to {@code T}. Past its length, the output of a row is
     *     zero and its state doesn't change; a row of length 0 passes its initial state through.
     * @throws InvalidInputException if there isn't one length per row, or one is out of range
     */
    public LstmInput withLengths(int... lengths) {
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
        return new LstmInput(layout, x, rows, steps, lengths.clone(), initialState);
    }

    /** Returns the same batch with another state before the first step. */
    public LstmInput withInitialState(LstmState state) {
        return new LstmInput(layout, x, rows, steps, lengths, Objects.requireNonNull(state, "state"));
    }

    /** Returns the order of the outer dimensions of {@code x} and of the output. */
    public Layout layout() {
        return layout;
    }

    /** Returns {@code N}. */
    public int rows() {
        return rows;
    }

    /** Returns {@code T}. */
    public int steps() {
        return steps;
    }

    /**
     * Returns the features, {@code [N,T,I]} or {@code [T,N,I]} by {@link #layout()}: the caller's buffer, not a copy.
     */
    public FloatBuffer x() {
        return x;
    }

    /** Returns the states before the first step; empty if they are zeros. */
    public Optional<LstmState> initialState() {
        return Optional.ofNullable(initialState);
    }

    /** Returns the valid steps of each row, {@code [N]}, as a new array. */
    public int[] lengths() {
        if (lengths != null) {
            return lengths.clone();
        }
        int[] full = new int[rows];
        Arrays.fill(full, steps);
        return full;
    }

    /**
     * Returns the index of the first feature of {@code (row, step)} in a tensor with {@code features} values per step
     * and the layout of this batch.
     *
     * @throws ArithmeticException if it is beyond what a buffer holds, which can't happen after {@link #check}
     */
    public int offset(int row, int step, int features) {
        long index = layout == Layout.BATCH_MAJOR ? (long) row * steps + step : (long) step * rows + row;
        return Math.toIntExact(Math.multiplyExact(index, features));
    }

    /**
     * Checks that this batch fits {@code model}.
     *
     * @throws InvalidInputException if the number of features or the shape of a state is wrong, or a size is beyond a
     *     buffer
     */
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

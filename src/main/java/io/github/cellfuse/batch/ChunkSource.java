package io.github.cellfuse.batch;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * The rows of a batch. Any range may be read, in any order and more than once. Implementations must be thread safe:
 * chunks may be read while others are computed.
 */
public interface ChunkSource {
    /**
     * Returns the order of the outer dimensions of the data that {@link #readInput} reads, and therefore of the output.
     */
    Layout layout();

    /** Returns the number of rows {@code N}, at least 1; may exceed an int. */
    long rows();

    /** Returns the number of time steps {@code T}, at least 1. */
    int steps();

    /**
     * Reads the features of {@code rows} rows, starting at {@code firstRow}, in their first {@code steps} steps.
     *
     * @param steps {@code S}, 1 to {@code T}: no row of these has a longer valid length
     * @param x receives {@code [rows,S,I]} or {@code [S,rows,I]} by {@link #layout()}, from index 0 to its limit, which
     *     is that size
     */
    void readInput(long firstRow, int rows, int steps, FloatBuffer x);

    /**
     * Reads the features of rows that needn't follow each other, as {@link #readInput(long, int, int, FloatBuffer)}
     * does.
     *
     * @param rows the rows, in ascending order
     */
    default void readInput(long[] rows, int steps, FloatBuffer x) {
        RowRuns.read(this, rows, steps, x);
    }

    /**
     * Returns the valid steps {@code [rows]} of the rows starting at {@code firstRow}; empty if every row of the batch
     * has all {@code T}.
     */
    Optional<int[]> readLengths(long firstRow, int rows);

    /**
     * Returns the states before the first step of the rows starting at {@code firstRow}; empty if every row of the
     * batch starts from zeros.
     */
    Optional<LstmState> readInitialState(long firstRow, int rows);
}

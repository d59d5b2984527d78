package io.github.cellfuse.batch;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * The rows of a batch, of which any range can be read, in any order and more than once. Reading must be thread safe: chunks may
 * be read while others are computed.
 */
public interface ChunkSource {
    /** The order of the outer dimensions of what {@link #readInput} gives, and so of the output. */
    Layout layout();

    /** The number of rows {@code N}, at least 1; may be larger than an int. */
    long rows();

    /** The number of time steps {@code T}, at least 1. */
    int steps();

    /**
     * Reads the features of {@code rows} rows from {@code firstRow} on.
     *
     * @param x receives {@code [rows,T,I]} or {@code [T,rows,I]} by {@link #layout()}, from index 0 to its limit, which is that size
     */
    void readInput(long firstRow, int rows, FloatBuffer x);

    /** {@code [rows]} valid steps of the rows from {@code firstRow} on; empty: all {@code T}, of every row of the batch. */
    Optional<int[]> readLengths(long firstRow, int rows);

    /** The states before the first step of the rows from {@code firstRow} on; empty: zeros, for every row of the batch. */
    Optional<LstmState> readInitialState(long firstRow, int rows);
}

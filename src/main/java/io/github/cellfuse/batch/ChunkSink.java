package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;

/**
 * Receives the results of a batch chunk by chunk, in any order. A row may be written again; its results are the same.
 * Implementations must be thread safe.
 */
public interface ChunkSink {
    /** Returns whether it reads y. If not, the outputs that it gets have none. */
    default boolean needsY() {
        return true;
    }

    /**
     * Writes the results of {@code output.rows()} rows, starting at {@code firstRow}. The memory of {@code output} is
     * reused when this returns. Every NaN in it has the bits of {@code Float.NaN}. If {@code output.steps()} is less
     * than the {@code T} of the batch, no row has more valid steps, and y is zero in those that are left out.
     *
     * @return the CRC-32C of the bytes that the rows have in the output, in the order of its arrays and of the blocks
     *     of each
     * @throws io.github.cellfuse.CellFuseException when writing fails
     */
    int write(long firstRow, LstmOutput output);

    /**
     * Returns the CRC-32C that {@link #write} would return for {@code rows} rows, starting at {@code firstRow}, if it
     * wrote what the output holds now. The output is read.
     *
     * @throws io.github.cellfuse.CellFuseException when reading fails
     */
    int checksum(long firstRow, int rows);

    /**
     * Treats rows as written: an earlier job wrote them, and {@link #checksum} has found them unchanged.
     *
     * @throws UnsupportedOperationException if the sink never outlives a job
     */
    default void markWritten(long firstRow, int rows) {
        throw new UnsupportedOperationException("this output can't be continued");
    }

    /**
     * Takes the space for the rows that aren't there. Called once, before the first {@link #write} and after
     * {@link #markWritten}.
     *
     * @throws io.github.cellfuse.CellFuseException when there isn't enough
     */
    default void reserve() {}

    /**
     * Makes everything durable that has been written: it survives the loss of power.
     *
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    void force();
}

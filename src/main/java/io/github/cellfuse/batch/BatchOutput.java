package io.github.cellfuse.batch;

/** Holds the results of a batch, whose rows are written in any order. Implementations must be thread safe. */
public interface BatchOutput {
    /**
     * Returns the CRC-32C of the bytes that {@code rows} rows, starting at {@code firstRow}, have in the output now.
     * The output is read.
     *
     * @throws io.github.cellfuse.CellFuseException when reading fails
     */
    int checksum(long firstRow, int rows);

    /**
     * Treats rows as written: an earlier job wrote them, and {@link #checksum} has found them unchanged.
     *
     * @throws UnsupportedOperationException if the output never outlives a job
     */
    default void markWritten(long firstRow, int rows) {
        throw new UnsupportedOperationException("this output can't be continued");
    }

    /**
     * Takes the space for the rows that aren't there. Called once, before the first row is written and after
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

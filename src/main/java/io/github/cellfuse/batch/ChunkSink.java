package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;

/**
 * Receives the results of an LSTM chunk by chunk, in any order. A row may be written again. Its results are the same
 * then, unless those before were of a device that was found to give wrong ones: the last that are written count.
 * Implementations must be thread safe.
 */
public interface ChunkSink extends BatchOutput {
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
     *     of each, as {@link #checksum} returns it
     * @throws io.github.cellfuse.CellFuseException when writing fails
     */
    int write(long firstRow, LstmOutput output);
}

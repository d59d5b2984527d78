package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;

/** Takes the results of a batch chunk by chunk, each row once, in any order. Writing must be thread safe. */
public interface ChunkSink {
    /**
     * Keeps the results of the rows from {@code firstRow} on; {@code output} says how many. Its memory is used again when this
     * returns. Every NaN in it is {@code Float.NaN}, bit for bit.
     */
    void write(long firstRow, LstmOutput output);
}

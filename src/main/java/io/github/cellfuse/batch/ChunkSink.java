package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;

/** Receives the results of a batch chunk by chunk, each row once, in any order. Implementations must be thread safe. */
public interface ChunkSink {
    /**
     * Writes the results of {@code output.rows()} rows, starting at {@code firstRow}. The memory of {@code output} is
     * reused when this returns. Every NaN in it has the bits of {@code Float.NaN}.
     */
    void write(long firstRow, LstmOutput output);
}

package io.github.cellfuse.batch;

/** The memory for the input of a chunk, used for one chunk after another. Belongs to one thread at a time. */
public interface ChunkInput {
    /** Reads rows of the batch. */
    void read(long firstRow, int rows);

    /** Returns the floating-point operations that the rows take; 0 if that isn't known. */
    long flops();
}

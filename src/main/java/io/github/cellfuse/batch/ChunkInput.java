package io.github.cellfuse.batch;

/** The memory for the input of a chunk, used for one chunk after another. Belongs to one thread at a time. */
public interface ChunkInput {
    /** Reads rows of the batch. */
    void read(long firstRow, int rows);

    /** Returns the floating-point operations that the rows take; 0 if that isn't known. */
    long flops();

    /** Returns the valid steps of all rows; 0 if rows have no steps. */
    default long validSteps() {
        return 0;
    }

    /** Returns the steps that are in memory, and that no row has. */
    default long paddingSteps() {
        return 0;
    }
}

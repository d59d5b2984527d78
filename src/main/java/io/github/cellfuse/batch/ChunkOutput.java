package io.github.cellfuse.batch;

/** The memory for the results of a chunk, used for one chunk after another. Belongs to one thread at a time. */
public interface ChunkOutput {
    /** Allocates the memory now, before the first chunk: clearing it takes long. */
    default void allocate() {}

    /**
     * Writes the results of the rows that were computed last.
     *
     * @return the checksum that {@link BatchOutput#checksum} returns for these rows from now on
     */
    int write(long firstRow, int rows);
}

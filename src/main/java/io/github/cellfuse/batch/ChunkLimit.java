package io.github.cellfuse.batch;

/**
 * How many rows a chunk may have. Affects memory and speed only, never a bit of the result. Must be thread safe, and
 * always return the same for a row.
 */
@FunctionalInterface
public interface ChunkLimit {
    /** Returns the largest number of rows, at least 1, of a chunk that begins at {@code firstRow}. */
    int rows(long firstRow);
}

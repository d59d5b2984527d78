package io.github.cellfuse.format.file;

import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * An array in files, of any size and any type of numbers, that is read as float32 piece by piece in any order. Thread
 * safe: pieces may be read concurrently.
 */
public interface ArraySource extends AutoCloseable {
    /** Returns where the array is, as messages name it. */
    String name();

    /** Returns the dimensions, as a new array; empty for a single value. */
    long[] shape();

    /**
     * Fills what remains of {@code target} with the elements from {@code firstElement} on (in C order: the last
     * dimension is contiguous), converted to float32, and moves its position to its limit.
     *
     * @throws io.github.cellfuse.InvalidInputException when there are fewer elements than the target takes, or a file
     *     has changed
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the array has been closed
     */
    void read(long firstElement, FloatBuffer target);

    /**
     * Reads pieces of equal length, as {@link #read} does, one after the other. Faster than to read each: a file is
     * opened once for all of them.
     *
     * @param firstElements where each piece begins, in ascending order
     */
    default void readPieces(long[] firstElements, FloatBuffer target) {
        int limit = target.limit(), length = target.remaining() / firstElements.length;
        for (long first : firstElements) {
            read(first, target.limit(target.position() + length));
            target.limit(limit);
        }
    }

    /**
     * Returns whether rows can be read one by one. If not, rows that follow each other should be read together, and
     * others not at all: each of them costs about as much as thousands together.
     */
    default boolean isFastByRow() {
        return true;
    }

    /**
     * Returns the valid steps of {@code rows} rows from {@code firstRow} on, if the rows of this array {@code [N,T,I]}
     * have lengths of their own; what follows them is zeros.
     */
    default Optional<int[]> readLengths(long firstRow, int rows) {
        return Optional.empty();
    }

    /** Refuses further reads. Closing twice does nothing. */
    @Override
    void close();
}

package io.github.cellfuse.format.file;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * An array in a file, of a shape known beforehand, that is filled piece by piece in any order. Thread safe: pieces may
 * be written concurrently.
 */
public interface ArraySink {
    /** The type of its elements. */
    ElementType type();

    /** Returns the array's shape, as a new array; empty for a single value. */
    long[] shape();

    /** Returns the number of elements, the product of {@link #shape()}. */
    long elementCount();

    /**
     * Writes {@code source}'s remaining values into an array of float32, from element {@code firstElement} on (in C
     * order: the last dimension is contiguous), and moves the source's position to its limit. An element may be written
     * twice; the last value counts.
     *
     * @throws io.github.cellfuse.InvalidInputException when the values don't fit between {@code firstElement} and the
     *     end, or the array isn't of float32
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file is closed
     */
    void write(long firstElement, FloatBuffer source);

    /**
     * Writes {@code source}'s remaining bytes, whole elements of the array's type in the buffer's byte order, as
     * {@link #write(long, FloatBuffer)} does.
     *
     * @throws io.github.cellfuse.InvalidInputException when the elements aren't whole, or don't fit between
     *     {@code firstElement} and the end
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file is closed
     */
    void write(long firstElement, ByteBuffer source);
}

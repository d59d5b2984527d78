package io.github.cellfuse.format.file;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.zip.Checksum;

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
     * @param checksum is updated with the bytes as the file has them
     * @throws io.github.cellfuse.InvalidInputException when the values don't fit between {@code firstElement} and the
     *     end, or the array isn't of float32
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file is closed
     */
    void write(long firstElement, FloatBuffer source, Checksum checksum);

    /**
     * Writes {@code source}'s remaining bytes, whole elements of the array's type in the buffer's byte order, as
     * {@link #write(long, FloatBuffer, Checksum)} does.
     *
     * @param checksum is updated with the bytes as the file has them
     * @throws io.github.cellfuse.InvalidInputException when the elements aren't whole, or don't fit between
     *     {@code firstElement} and the end
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file is closed
     */
    void write(long firstElement, ByteBuffer source, Checksum checksum);

    /** Writes like {@link #write(long, FloatBuffer, Checksum)}, without a checksum. */
    default void write(long firstElement, FloatBuffer source) {
        write(firstElement, source, NoChecksum.INSTANCE);
    }

    /** Writes like {@link #write(long, ByteBuffer, Checksum)}, without a checksum. */
    default void write(long firstElement, ByteBuffer source) {
        write(firstElement, source, NoChecksum.INSTANCE);
    }

    /**
     * Reads {@code count} elements back, from element {@code firstElement} on, and updates {@code checksum} with their
     * bytes in the file: with zeros, where nothing was written.
     *
     * @throws io.github.cellfuse.InvalidInputException when the elements aren't all within the array
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file is closed
     */
    void checksum(long firstElement, long count, Checksum checksum);
}

package io.github.cellfuse.format.npy;

import io.github.cellfuse.format.file.ArrayRegion;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.zip.Checksum;

/**
 * Writes a {@code .npy} file of little-endian elements in C order, of a shape known beforehand, piece by piece in any
 * order. The file appears under its name, whole, with {@link #commit()}; until then it is a hidden temporary file in
 * the same folder, which {@link #close()} deletes.
 *
 * <pre>{@code
 * try (NpyWriter out = NpyWriter.create(Path.of("y.npy"), false, rows, steps, features)) {
 *     out.write(0, y);
 *     out.commit();
 * }
 * }</pre>
 *
 * <p>Writing is thread safe; commit when every write has returned.
 */
public final class NpyWriter implements ArraySink, AutoCloseable {
    private final AtomicFile file;
    private final ArrayRegion data;

    private NpyWriter(AtomicFile file, ArrayRegion data) {
        this.file = file;
        this.data = data;
    }

    /**
     * Starts a file of float32.
     *
     * @param target the final name
     * @param overwrite whether a file of that name may be replaced
     * @param shape the dimensions; none for a single value
     * @throws io.github.cellfuse.InvalidInputException when the target exists and may not be overwritten, its folder is
     *     missing or can't be written, or the size overflows 64 bits
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static NpyWriter create(Path target, boolean overwrite, long... shape) {
        return create(target, overwrite, ElementType.FLOAT32, shape);
    }

    /**
     * Starts a file of elements of {@code type}, which NumPy must have; otherwise like {@link #create(Path, boolean,
     * long...)}.
     */
    public static NpyWriter create(Path target, boolean overwrite, ElementType type, long... shape) {
        ArrayRegion.bytes(target, type, shape);
        byte[] header = NpyHeader.encode(type, shape);
        AtomicFile file = AtomicFile.create(target, overwrite);
        try {
            ArrayRegion.write(file.channel(), 0, ByteBuffer.wrap(header));
            return new NpyWriter(file, new ArrayRegion(target, file.channel(), header.length, type, shape));
        } catch (IOException e) {
            file.close();
            throw Problems.io(target, "writing", e);
        }
    }

    @Override
    public ElementType type() {
        return data.type();
    }

    @Override
    public long[] shape() {
        return data.shape();
    }

    @Override
    public long elementCount() {
        return data.elementCount();
    }

    @Override
    public void write(long firstElement, FloatBuffer source, Checksum checksum) {
        data.write(firstElement, source, checksum);
    }

    @Override
    public void write(long firstElement, ByteBuffer source, Checksum checksum) {
        data.write(firstElement, source, checksum);
    }

    @Override
    public void checksum(long firstElement, long count, Checksum checksum) {
        data.checksum(firstElement, count, checksum);
    }

    /**
     * Makes durable what has been written.
     *
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the writer is closed
     */
    public void force() {
        file.force();
    }

    /**
     * Makes the file durable and gives it its name. The writer is closed afterwards, whether that succeeded or not.
     *
     * @throws io.github.cellfuse.CellFuseException when elements were never written, the disk fails, or the writer is
     *     closed
     */
    public void commit() {
        try (file) {
            data.checkComplete();
            file.commit();
        }
    }

    /** Deletes what was written, unless it was committed. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }
}

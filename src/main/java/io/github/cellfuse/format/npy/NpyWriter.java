package io.github.cellfuse.format.npy;

import io.github.cellfuse.format.file.ArrayFile;
import io.github.cellfuse.format.file.ArrayRegion;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.function.Supplier;
import java.util.zip.Checksum;

/**
 * Writes a {@code .npy} file of little-endian elements in C order, of a shape known beforehand, piece by piece in any
 * order. The file appears under its name, whole, with {@link #commit()}; until then it is a hidden temporary file in
 * the same folder, which {@link #close()} deletes, or a {@link #resumable} one with the ending {@code .partial}.
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
public final class NpyWriter implements ArraySink, ArrayFile {
    private final AtomicFile file;
    private final int headerBytes;
    private final ArrayRegion data;

    private NpyWriter(AtomicFile file, int headerBytes, ArrayRegion data) {
        this.file = file;
        this.headerBytes = headerBytes;
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
        return begin(target, () -> AtomicFile.create(target, overwrite), type, shape);
    }

    /**
     * Starts a file of float32 that stays unfinished, as {@code OUT.npy.partial}, if it is closed without
     * {@link #commit()}, or continues it. The caller marks what it holds already, then calls {@link #reserve()}. Two
     * writers must not be open for the same target.
     *
     * @param isContinued whether to keep what an unfinished file holds; there need not be one
     * @throws io.github.cellfuse.InvalidInputException as {@link #create(Path, boolean, long...)} does
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static NpyWriter resumable(Path target, boolean overwrite, boolean isContinued, long... shape) {
        return resumable(target, overwrite, isContinued, ElementType.FLOAT32, shape);
    }

    /**
     * Starts a file of elements of {@code type}, which NumPy must have; otherwise like {@link #resumable(Path, boolean,
     * boolean, long...)}.
     */
    public static NpyWriter resumable(
            Path target, boolean overwrite, boolean isContinued, ElementType type, long... shape) {
        return begin(target, () -> AtomicFile.resumable(target, overwrite, isContinued), type, shape);
    }

    private static NpyWriter begin(Path target, Supplier<AtomicFile> opened, ElementType type, long... shape) {
        ArrayRegion.bytes(target, type, shape);
        byte[] header = NpyHeader.encode(type, shape);
        AtomicFile file = opened.get();
        try {
            ArrayRegion.write(file.channel(), 0, ByteBuffer.wrap(header));
            return new NpyWriter(
                    file, header.length, new ArrayRegion(target, file.channel(), header.length, type, shape));
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

    @Override
    public void markWritten(long firstElement, long count) {
        data.markWritten(firstElement, count);
    }

    @Override
    public void reserve() {
        long bytes = data.elementCount() * data.type().bytes();
        file.reserve(headerBytes + bytes, data.missingBytes());
    }

    @Override
    public void force() {
        file.force();
    }

    @Override
    public void commit() {
        try (file) {
            data.checkComplete();
            file.commit();
        }
    }

    @Override
    public void delete() {
        file.delete();
    }

    @Override
    public void close() {
        file.close();
    }
}

package io.github.cellfuse.format.npy;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.ArrayRegion;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.ZipFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes several arrays into one {@code .npz} file, each of a shape known beforehand, piece by piece in any order. The
 * file appears under its name, whole, with {@link #commit()}; until then it is a hidden temporary file in the same
 * folder, which {@link #close()} deletes.
 *
 * <pre>{@code
 * try (NpzWriter out = NpzWriter.create(Path.of("out.npz"), false)) {
 *     ArraySink y = out.add("y", rows, steps, features);
 *     ArraySink hidden = out.add("h_n", layers, rows, features);
 *     y.write(0, ...);
 *     hidden.write(0, ...);
 *     out.commit();
 * }
 * }</pre>
 *
 * <p>Adding and writing are thread safe; commit when every write has returned. The arrays are stored, not compressed,
 * and written where they will lie in the archive: nothing is copied at the end, but each array is read once more for
 * its checksum. Archives and arrays may be larger than 4 GiB (zip64). The same arrays give the same bytes: the entries'
 * dates are those of 1980.
 */
public final class NpzWriter implements AutoCloseable {
    /** The data of an array begins at a multiple of this many bytes, so that a reader can map it. */
    private static final int ALIGNMENT = 64;

    /** A zip archive counts a name's bytes in 16 bits; a character takes up to three. */
    private static final int LONGEST_NAME = 0xFFFF / 3;

    private static final int CHECKSUM_BUFFER = 1 << 18;

    private final AtomicFile file;
    private final Object label;
    private final ZipFormat zip;
    private final List<Part> parts = new ArrayList<>();
    private long end;

    /** An array and where its entry lies. */
    private record Part(ZipFormat.Entry entry, ArrayRegion data) {}

    private NpzWriter(AtomicFile file, Object label, ZipFormat zip) {
        this.file = file;
        this.label = label;
        this.zip = zip;
    }

    /**
     * Starts an archive.
     *
     * @param target the final name
     * @param overwrite whether a file of that name may be replaced
     * @throws io.github.cellfuse.InvalidInputException when the target exists and may not be overwritten, or its folder
     *     is missing or can't be written
     * @throws CellFuseException when the disk fails
     */
    public static NpzWriter create(Path target, boolean overwrite) {
        return create(target, overwrite, ZipFormat.STANDARD);
    }

    /** Starts an archive that uses zip64 fields from another size on, for the tests. */
    static NpzWriter create(Path target, boolean overwrite, ZipFormat zip) {
        return new NpzWriter(AtomicFile.create(target, overwrite), target, zip);
    }

    /**
     * Adds an array of float32 to be written.
     *
     * @param name its name in the archive, without {@code .npy}
     * @param shape the dimensions; none for a single value
     * @throws io.github.cellfuse.InvalidInputException when the name is empty, taken or a path, or the size overflows
     *     64 bits
     * @throws CellFuseException when the disk fails
     */
    public ArraySink add(String name, long... shape) {
        return add(name, ElementType.FLOAT32, shape);
    }

    /**
     * Adds an array of elements of {@code type}, which NumPy must have; otherwise like {@link #add(String, long...)}.
     */
    public synchronized ArraySink add(String name, ElementType type, long... shape) {
        String entryName = name + NpzArchive.SUFFIX;
        NpzArchive.checkName(label, entryName);
        if (parts.stream().anyMatch(part -> part.entry().name().equals(entryName))) {
            throw Problems.invalid(label, "array " + Problems.quote(name) + " was added already");
        }
        if (entryName.length() > LONGEST_NAME) {
            throw Problems.invalid(
                    label,
                    "expected an array's name of at most " + LONGEST_NAME + " characters, found "
                            + Problems.quote(name));
        }
        String what = label + ": array " + Problems.quote(name);
        byte[] header = NpyHeader.encode(type, shape);
        long size = Math.addExact(header.length, ArrayRegion.bytes(what, type, shape));
        ZipFormat.Entry entry = ZipFormat.Entry.stored(entryName, size, end);
        byte[] local = zip.localHeader(entry, 0, ALIGNMENT);
        try {
            ArrayRegion.write(file.channel(), end, ByteBuffer.wrap(local));
            ArrayRegion.write(file.channel(), end + local.length, ByteBuffer.wrap(header));
        } catch (IOException e) {
            throw Problems.io(label, "writing", e);
        }
        long data = end + local.length + header.length;
        ArrayRegion region = new ArrayRegion(what, file.channel(), data, type, shape);
        parts.add(new Part(entry, region));
        end = Math.addExact(end + local.length, size);
        return region;
    }

    /**
     * Makes durable what has been written.
     *
     * @throws CellFuseException when the disk fails or the writer is closed
     */
    public void force() {
        file.force();
    }

    /**
     * Makes the archive durable and gives it its name. The writer is closed afterwards, whether that succeeded or not.
     *
     * @throws CellFuseException when elements were never written, the disk fails, or the writer is closed
     */
    public synchronized void commit() {
        try (file) {
            List<ZipFormat.Entry> entries = new ArrayList<>();
            for (Part part : parts) {
                part.data().checkComplete();
                ZipFormat.Entry entry = part.entry();
                int headerBytes = zip.localHeader(entry, 0, ALIGNMENT).length;
                long crc = checksum(entry.headerOffset() + headerBytes, entry.size());
                byte[] local = zip.localHeader(entry, crc, ALIGNMENT);
                ArrayRegion.write(file.channel(), entry.headerOffset(), ByteBuffer.wrap(local));
                entries.add(entry.withCrc(crc));
            }
            ArrayRegion.write(file.channel(), end, ByteBuffer.wrap(zip.directory(entries, end)));
            file.commit();
        } catch (IOException e) {
            throw Problems.io(label, "writing", e);
        }
    }

    private long checksum(long start, long size) throws IOException {
        CRC32 crc = new CRC32();
        ByteBuffer bytes = ByteBuffer.allocateDirect(CHECKSUM_BUFFER);
        for (long done = 0; done < size; ) {
            bytes.clear().limit((int) Math.min(bytes.capacity(), size - done));
            int read = file.channel().read(bytes, start + done);
            if (read < 0) {
                throw new CellFuseException(label + ": the temporary file was cut short while it was written");
            }
            crc.update(bytes.flip());
            done += read;
        }
        return crc.getValue();
    }

    /** Deletes what was written, unless it was committed. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }
}

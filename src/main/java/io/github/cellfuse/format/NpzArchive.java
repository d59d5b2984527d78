package io.github.cellfuse.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * A {@code .npz} file: {@code .npy} arrays by name in a zip archive, as {@code numpy.savez} and {@code numpy.savez_compressed}
 * write it, of any size.
 *
 * <p>A stored array is mapped from where it lies. A deflated one is inflated, checked against its checksum, into a file in the
 * folder that the property {@code java.io.tmpdir} names, which is gone when the array is closed or the program ends. The checksum
 * of a stored array isn't looked at: that would read all of it first.
 *
 * <p>Thread safe. The arrays that were opened stay usable after the archive has been closed.
 */
public final class NpzArchive implements AutoCloseable {
    static final String SUFFIX = ".npy";

    private static final int BUFFER = 1 << 16;

    private final Path path;
    private final MappedFile file;
    private final Map<String, ZipFormat.Entry> entries = new LinkedHashMap<>();

    private NpzArchive(Path path, MappedFile file) {
        this.path = path;
        this.file = file;
        for (ZipFormat.Entry entry : ZipDirectory.read(file)) {
            checkName(path, entry.name());
            String name = entry.name().substring(0, entry.name().length() - SUFFIX.length());
            if (entries.put(name, entry) != null) {
                throw Problems.invalid(path, "entry " + Problems.quote(entry.name()) + ": expected once, found twice");
            }
        }
    }

    /**
     * Opens an archive and reads its directory.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there, isn't a whole zip archive, holds something else
     *     than {@code .npy} files without folders, holds a name twice, or is encrypted
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static NpzArchive open(Path path) {
        return new NpzArchive(path, MappedFile.open(path));
    }

    /** Refuses an entry's name that isn't that of an array in no folder. */
    static void checkName(Object label, String entryName) {
        if (entryName.contains("/") || entryName.contains("\\")) {
            throw Problems.invalid(
                    label, "entry " + Problems.quote(entryName) + ": expected a name without folders, found a path");
        }
        if (!entryName.endsWith(SUFFIX) || entryName.length() == SUFFIX.length()) {
            throw Problems.invalid(label, "entry " + Problems.quote(entryName) + ": expected a name that ends in .npy");
        }
    }

    /** The names of the arrays, without {@code .npy}, in the order of the archive. */
    public List<String> names() {
        return List.copyOf(entries.keySet());
    }

    /**
     * Opens an array, which the caller closes.
     *
     * @throws io.github.cellfuse.InvalidInputException when there is no such array, or it isn't a whole {@code .npy} file of a
     *     supported dtype; the message lists the arrays that there are
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or the archive has been closed
     */
    public NpyArray array(String name) {
        ZipFormat.Entry entry = entries.get(name);
        if (entry == null) {
            throw Problems.invalid(
                    path, "expected an array " + Problems.quote(name) + ", found " + Problems.some(entries.keySet()));
        }
        String label = path + "[" + entry.name() + "]";
        long data = ZipDirectory.dataOffset(file, entry, file.size());
        if (entry.method() == ZipFormat.STORED) {
            return NpyArray.of(file.share(), data, data + entry.size(), label);
        }
        return NpyArray.of(inflated(entry, data, label), label);
    }

    private MappedFile inflated(ZipFormat.Entry entry, long data, String label) {
        Path folder = Path.of(System.getProperty("java.io.tmpdir"));
        Path temporary = folder.resolve("cellfuse-" + UUID.randomUUID() + ".npy");
        // Deleted on close by the system itself: even a killed program leaves nothing behind. The mapping lives on.
        try (FileChannel channel = FileChannel.open(
                temporary,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE)) {
            inflate(entry, data, channel, label);
            return MappedFile.of(label, channel);
        } catch (DataFormatException e) {
            throw Problems.invalid(label, "expected deflated data, found it damaged: " + e.getMessage(), e);
        } catch (InternalError e) {
            throw MappedFile.cutShort(path, e);
        } catch (IOException e) {
            throw Problems.io(label, "inflating it into " + temporary, e);
        }
    }

    private void inflate(ZipFormat.Entry entry, long data, FileChannel target, String label)
            throws DataFormatException, IOException {
        Inflater inflater = new Inflater(true);
        try {
            CRC32 crc = new CRC32();
            ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);
            long in = 0;
            long total = 0;
            while (!inflater.finished()) {
                if (inflater.needsInput() && in < entry.compressedSize()) {
                    ByteBuffer view = file.view(data + in, Math.min(BUFFER, entry.compressedSize() - in), 1);
                    in += view.remaining();
                    inflater.setInput(view);
                }
                int count = inflater.inflate(out.clear());
                if (count == 0
                        && !inflater.finished()
                        && (inflater.needsDictionary() || in == entry.compressedSize())) {
                    throw Problems.invalid(label, "truncated: the deflated data ends after " + total + " bytes");
                }
                total += count;
                if (total > entry.size()) {
                    break;
                }
                crc.update(out.flip());
                FloatRegion.write(target, total - count, out.rewind());
            }
            if (total != entry.size()) {
                throw Problems.invalid(
                        label,
                        "expected " + entry.size() + " inflated bytes, found "
                                + (total > entry.size() ? "more" : total));
            }
            if (crc.getValue() != entry.crc()) {
                throw Problems.invalid(
                        label,
                        "checksum: expected " + Long.toHexString(entry.crc()) + ", found "
                                + Long.toHexString(crc.getValue()) + ": the data is damaged");
            }
        } finally {
            inflater.end();
        }
    }

    /** Refuses to open further arrays. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }
}

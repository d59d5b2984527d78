package io.github.cellfuse.format.file;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The entries of a zip archive of any size. A stored entry is mapped in place. A deflated one is inflated into a
 * temporary file in the folder {@code java.io.tmpdir} and checked against its size and checksum. The temporary file is
 * deleted when the entry is closed or the program ends.
 *
 * <p>Thread safe. Entries that were opened stay usable after the archive has been closed.
 */
public final class ZipArchive implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final Path path;
    private final MappedFile file;
    private final Map<String, ZipFormat.Entry> entries = new LinkedHashMap<>();
    /** The names that several entries have. */
    private final Set<String> twice = new HashSet<>();

    private ZipArchive(Path path, MappedFile file, String kind) {
        this.path = path;
        this.file = file;
        for (ZipFormat.Entry entry : ZipDirectory.read(file, kind)) {
            if (entries.put(entry.name(), entry) != null) {
                twice.add(entry.name());
            }
        }
    }

    /**
     * Opens an archive and reads its directory.
     *
     * @param kind what the archive should be, for the message: {@code .npz}
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there, or isn't a whole zip archive
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static ZipArchive open(Path path, String kind) {
        return new ZipArchive(path, MappedFile.open(path), kind);
    }

    /** Returns the names of the entries, in the order of the archive. */
    public List<String> names() {
        return List.copyOf(entries.keySet());
    }

    /**
     * An entry's content, compared with its checksum, which reads all of it; the caller closes it. Empty where there is
     * no such entry.
     *
     * @throws io.github.cellfuse.InvalidInputException when it is damaged
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or the archive has been closed
     */
    public Optional<FileRegion> checked(String name) {
        Optional<FileRegion> stored = stored(name);
        stored.ifPresent(region -> compare(region.label(), entries.get(name).crc(), crc(region)));
        return stored.or(() -> inflated(name));
    }

    /**
     * Returns the same for an entry of at most {@code mostBytes}. A longer one is refused before anything of it is
     * inflated: its deflated data may be a thousand times shorter.
     *
     * @param what what it is, for the message
     */
    public Optional<FileRegion> checked(String name, String what, long mostBytes) {
        ZipFormat.Entry entry = entries.get(name);
        if (entry != null && entry.size() > mostBytes) {
            throw Problems.invalid(
                    label(entry), "expected " + what + " of at most " + mostBytes + " bytes, found " + entry.size());
        }
        return checked(name);
    }

    /**
     * Returns a stored entry's content without checking its checksum, which would read all of it. Empty if there is
     * none.
     */
    public Optional<FileRegion> stored(String name) {
        return entry(name, ZipFormat.STORED)
                .map(entry -> new FileRegion(
                        label(entry), file.share(), ZipDirectory.dataOffset(file, entry, file.size()), entry.size()));
    }

    /** Returns a deflated entry's content; empty where there is none. */
    public Optional<FileRegion> inflated(String name) {
        return entry(name, ZipFormat.DEFLATED).map(this::inflated);
    }

    private Optional<ZipFormat.Entry> entry(String name, int method) {
        Optional<ZipFormat.Entry> found = Optional.ofNullable(entries.get(name));
        if (twice.contains(name)) {
            throw Problems.invalid(path, "entry " + Problems.quote(name) + ": expected once, found twice");
        }
        found.ifPresent(entry -> ZipDirectory.checkReadable(file, entry));
        return found.filter(entry -> entry.method() == method);
    }

    /** Returns whether there is such an entry, whatever its state. */
    public boolean has(String name) {
        return entries.containsKey(name);
    }

    /** Returns up to {@code count} bytes with which an entry begins; none if it can't be read. */
    public byte[] start(String name, int count) {
        try {
            Optional<FileRegion> stored = stored(name);
            if (stored.isPresent()) {
                return stored.get().bytes(0, (int) Math.min(count, stored.get().size()));
            }
            return entry(name, ZipFormat.DEFLATED)
                    .map(entry -> inflatedStart(entry, count))
                    .orElse(new byte[0]);
        } catch (InvalidInputException e) {
            return new byte[0]; // whoever reads it says why
        }
    }

    private byte[] inflatedStart(ZipFormat.Entry entry, int count) {
        Inflater inflater = new Inflater(true);
        try {
            long data = ZipDirectory.dataOffset(file, entry, file.size());
            inflater.setInput(file.bytes(data, (int) Math.min(BUFFER, entry.compressedSize())));
            byte[] start = new byte[count];
            return Arrays.copyOf(start, inflater.inflate(start));
        } catch (DataFormatException e) {
            return new byte[0];
        } finally {
            inflater.end();
        }
    }

    private String label(ZipFormat.Entry entry) {
        return path + "[" + entry.name() + "]";
    }

    private FileRegion inflated(ZipFormat.Entry entry) {
        String label = label(entry);
        try (FileChannel channel = SpooledFile.channel()) {
            inflate(entry, channel, label);
            file.checkUnchanged();
            return new FileRegion(label, MappedFile.of(label, channel), 0, entry.size());
        } catch (DataFormatException e) {
            file.checkUnchanged();
            throw Problems.invalid(label, "expected deflated data, found it damaged: " + e.getMessage(), e);
        } catch (InternalError e) {
            throw file.failed(e);
        } catch (IOException e) {
            throw Problems.io(label, "inflating it into " + SpooledFile.folder(), e);
        }
    }

    private void inflate(ZipFormat.Entry entry, FileChannel target, String label)
            throws DataFormatException, IOException {
        long data = ZipDirectory.dataOffset(file, entry, file.size());
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
                ArrayRegion.write(target, total - count, out.rewind());
            }
            if (total != entry.size()) {
                throw Problems.invalid(
                        label,
                        "expected " + entry.size() + " inflated bytes, found "
                                + (total > entry.size() ? "more" : total));
            }
            compare(label, entry.crc(), crc.getValue());
        } finally {
            inflater.end();
        }
    }

    private static long crc(FileRegion region) {
        CRC32 crc = new CRC32();
        region.file().guarded(() -> {
            for (long done = 0; done < region.size(); ) {
                ByteBuffer view = region.file().view(region.start() + done, region.size() - done, 1);
                done += view.remaining();
                crc.update(view);
            }
        });
        return crc.getValue();
    }

    private static void compare(String label, long expected, long found) {
        if (expected != found) {
            throw Problems.invalid(
                    label,
                    "checksum: expected " + Long.toHexString(expected) + ", found " + Long.toHexString(found)
                            + ": the data is damaged");
        }
    }

    /** Refuses to open further entries. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }
}

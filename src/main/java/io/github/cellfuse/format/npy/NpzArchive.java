package io.github.cellfuse.format.npy;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.ZipArchive;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A {@code .npz} file: {@code .npy} arrays by name in a zip archive, as {@code numpy.savez} and
 * {@code numpy.savez_compressed} write it, of any size.
 *
 * <p>A stored array is mapped in place. A deflated one is inflated into a temporary file in the folder
 * {@code java.io.tmpdir} and checked against its checksum; the file is deleted when the array is closed or the program
 * ends. The checksum of a stored array isn't checked, as that would read all of it first.
 *
 * <p>Thread safe. The arrays that were opened stay usable after the archive has been closed.
 */
public final class NpzArchive implements AutoCloseable {
    static final String SUFFIX = ".npy";

    private final Path path;
    private final ZipArchive archive;
    private final List<String> names;

    private NpzArchive(Path path, ZipArchive archive) {
        this.path = path;
        this.archive = archive;
        names = archive.names().stream()
                .filter(entry -> isArray(archive, entry))
                .map(NpzArchive::arrayName)
                .toList();
    }

    /** Archives made by hand hold folders, notes, and what macOS adds: a {@code ._x.npy} for each {@code x.npy}. */
    private static boolean isArray(ZipArchive archive, String entry) {
        String name = entry.substring(entry.lastIndexOf('/') + 1);
        if (name.isEmpty() || name.startsWith("._") || entry.startsWith("__MACOSX/")) {
            return false;
        }
        return name.endsWith(SUFFIX) || Arrays.equals(archive.start(entry, NpyHeader.MAGIC.length), NpyHeader.MAGIC);
    }

    private static String arrayName(String entry) {
        return entry.endsWith(SUFFIX) ? entry.substring(0, entry.length() - SUFFIX.length()) : entry;
    }

    /**
     * Opens an archive and reads its directory. What else it holds doesn't matter: folders, and other files.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there, or isn't a whole zip archive
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static NpzArchive open(Path path) {
        return new NpzArchive(path, ZipArchive.open(path, ".npz"));
    }

    /** Returns whether a file, of any name, is a zip archive with arrays. */
    public static boolean recognizes(Path path) {
        if (!NpyArray.begins(path, new byte[] {'P', 'K', 3, 4})) {
            return false;
        }
        try (NpzArchive archive = open(path)) {
            return !archive.names.isEmpty();
        } catch (CellFuseException e) {
            return false; // whoever opens it says why
        }
    }

    /** Throws if an entry to be written has a name that isn't that of an array outside of any folder. */
    static void checkName(Object label, String entryName) {
        if (entryName.contains("/") || entryName.contains("\\")) {
            throw Problems.invalid(
                    label, "entry " + Problems.quote(entryName) + ": expected a name without folders, found a path");
        }
        if (!entryName.endsWith(SUFFIX) || entryName.length() == SUFFIX.length()) {
            throw Problems.invalid(label, "entry " + Problems.quote(entryName) + ": expected a name that ends in .npy");
        }
    }

    /** Returns the names of the arrays, without {@code .npy} and with their folders, in the order of the archive. */
    public List<String> names() {
        return names;
    }

    /**
     * Opens an array, which the caller closes. Other entries may be damaged.
     *
     * @param name with or without {@code .npy}
     * @throws io.github.cellfuse.InvalidInputException when there is no such array, there are two, it is encrypted, or
     *     it isn't a whole {@code .npy} file of a supported dtype; the message lists the arrays that there are
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or the archive has been closed
     */
    public NpyArray array(String name) {
        String entry = archive.has(name) ? name : name + SUFFIX;
        FileRegion region = archive.stored(entry)
                .or(() -> archive.inflated(entry))
                .orElseThrow(() -> Problems.invalid(
                        path, "expected an array " + Problems.quote(name) + ", found " + Problems.some(names)));
        return NpyArray.of(region.file(), region.start(), region.start() + region.size(), region.label());
    }

    /** Refuses to open further arrays. Closing twice does nothing. */
    @Override
    public void close() {
        archive.close();
    }
}

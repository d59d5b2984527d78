package io.github.cellfuse.format.npy;

import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.ZipArchive;
import java.nio.file.Path;
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
        names = archive.names().stream().map(entry -> arrayName(path, entry)).toList();
    }

    private static String arrayName(Path path, String entryName) {
        checkName(path, entryName);
        return entryName.substring(0, entryName.length() - SUFFIX.length());
    }

    /**
     * Opens an archive and reads its directory.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there, isn't a whole zip archive, holds
     *     something else than {@code .npy} files without folders, holds a name twice, or is encrypted
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static NpzArchive open(Path path) {
        return new NpzArchive(path, ZipArchive.open(path, ".npz"));
    }

    /** Throws if an entry's name isn't that of an array outside of any folder. */
    static void checkName(Object label, String entryName) {
        if (entryName.contains("/") || entryName.contains("\\")) {
            throw Problems.invalid(
                    label, "entry " + Problems.quote(entryName) + ": expected a name without folders, found a path");
        }
        if (!entryName.endsWith(SUFFIX) || entryName.length() == SUFFIX.length()) {
            throw Problems.invalid(label, "entry " + Problems.quote(entryName) + ": expected a name that ends in .npy");
        }
    }

    /** Returns the names of the arrays, without {@code .npy}, in the order of the archive. */
    public List<String> names() {
        return names;
    }

    /**
     * Opens an array, which the caller closes.
     *
     * @throws io.github.cellfuse.InvalidInputException when there is no such array, or it isn't a whole {@code .npy}
     *     file of a supported dtype; the message lists the arrays that there are
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or the archive has been closed
     */
    public NpyArray array(String name) {
        FileRegion region = archive.stored(name + SUFFIX)
                .or(() -> archive.inflated(name + SUFFIX))
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

package io.github.cellfuse.format.npy;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.FileState;
import io.github.cellfuse.format.file.FortranOrder;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.StagedRead;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@code .npy} files of a folder as one array {@code [N,T,I]}: the rows of all files, in the order of their names,
 * in which numbers count by their value ({@code part-2.npy} before {@code part-10.npy}). Each file is {@code [n,T,I]},
 * or each is {@code [T,I]} and one row; dtypes may differ.
 *
 * <p>Hidden files, other endings and folders are ignored. The headers of all files are read when it is opened. A file's
 * data is read through a channel that is open for this long, rather than mapped: there may be 100 000 files, and
 * mappings, of which a process may have 65 530, are only given back by the garbage collector. A file that has been
 * changed, replaced or removed since is refused.
 */
public final class NpyFolder implements ArraySource {
    private static final Logger LOG = LoggerFactory.getLogger(NpyFolder.class);

    private static final String ENDING = ".npy";

    private final Path folder;
    private final Part[] parts;
    private final long rowElements;
    private final long[] shape;
    private volatile boolean isClosed;

    /**
     * One file.
     *
     * @param state the file when its header was read
     * @param firstRow the number of rows in the files before it
     * @param rows its own number of rows
     */
    private record Part(String name, FileState state, NpyHeader header, long firstRow, long rows) {
        int rank() {
            return header.shape().length;
        }

        long dimension(int fromEnd) {
            return header.shape()[rank() - fromEnd];
        }
    }

    private NpyFolder(Path folder, Part[] parts) {
        this.folder = folder;
        this.parts = parts;
        Part last = parts[parts.length - 1];
        shape = new long[] {last.firstRow + last.rows, last.dimension(2), last.dimension(1)};
        rowElements = shape[1] * shape[2];
    }

    /**
     * Opens the files of a folder.
     *
     * @throws InvalidInputException when there is no {@code .npy} file in it, or one that doesn't fit the first one
     * @throws CellFuseException when the disk fails
     */
    public static NpyFolder open(Path folder) {
        List<String> names = names(folder);
        if (names.isEmpty()) {
            throw Problems.invalid(folder, "expected .npy files, found a folder without any");
        }
        Part[] parts = new Part[names.size()];
        long rows = 0;
        for (int k = 0; k < parts.length; k++) {
            Path path = folder.resolve(names.get(k));
            parts[k] = part(path, names.get(k), rows);
            checkShape(path, parts[k], parts[0]);
            rows += parts[k].rows;
        }
        warn(folder, parts);
        return new NpyFolder(folder, parts);
    }

    /** One line, however many files have bytes behind their arrays. */
    private static void warn(Path folder, Part... parts) {
        List<Part> longer =
                Stream.of(parts).filter(part -> part.header.behind() > 0).toList();
        if (!longer.isEmpty()) {
            Part first = longer.get(0);
            LOG.warn(Problems.oneLine(folder.resolve(first.name) + ": "
                    + first.header.remark().orElseThrow()
                    + (longer.size() > 1 ? ", also in " + (longer.size() - 1) + " other files of the folder" : "")));
        }
    }

    private static List<String> names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> isArray(file.getFileName().toString()))
                    .filter(file -> !Files.isDirectory(file))
                    .map(file -> file.getFileName().toString())
                    .sorted(NumericOrder.INSTANCE)
                    .toList();
        } catch (IOException e) {
            throw Problems.io(folder, "listing", e);
        }
    }

    /** Returns whether the name is that of a {@code .npy} file that isn't hidden. */
    public static boolean isArray(String name) {
        return !name.startsWith(".") && name.toLowerCase(Locale.ROOT).endsWith(ENDING);
    }

    private static Part part(Path path, String name, long firstRow) {
        Problems.checkIsFile(path);
        try {
            FileState state = FileState.of(path);
            try (FileChannel channel = channel(path)) {
                NpyHeader header = NpyHeader.read(
                        (position, count) -> bytes(path, channel, position, count), 0, channel.size(), path);
                int rank = header.shape().length;
                return new Part(name, state, header, firstRow, rank == 3 ? header.shape()[0] : 1);
            }
        } catch (IOException e) {
            throw Problems.io(path, "reading", e);
        }
    }

    private static byte[] bytes(Path path, FileChannel channel, long position, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        try {
            StagedRead.fill(channel, position, bytes);
        } catch (IOException e) {
            throw Problems.io(path, "reading", e);
        }
        return bytes.array();
    }

    private static void checkShape(Path path, Part part, Part first) {
        if (part == first) {
            if (part.rank() < 2 || part.rank() > 3 || part.dimension(1) < 1 || part.dimension(2) < 1) {
                throw Problems.invalid(
                        path,
                        "shape: expected [N, T, I], or [T, I] for one row, found "
                                + Problems.shape(part.header.shape()));
            }
            return;
        }
        if (part.rank() != first.rank()
                || part.dimension(1) != first.dimension(1)
                || part.dimension(2) != first.dimension(2)) {
            throw Problems.invalid(
                    path,
                    "shape: expected [" + (first.rank() == 3 ? "N, " : "") + first.dimension(2) + ", "
                            + first.dimension(1) + "] as in " + first.name + ", found "
                            + Problems.shape(part.header.shape()));
        }
    }

    private static FileChannel channel(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.READ);
    }

    /** Returns the number of files. */
    public int fileCount() {
        return parts.length;
    }

    /** Returns the name of the first file. */
    public String firstFile() {
        return parts[0].name;
    }

    /** Returns the name of the last file. */
    public String lastFile() {
        return parts[parts.length - 1].name;
    }

    @Override
    public String name() {
        return folder.toString();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public void read(long firstElement, FloatBuffer target) {
        if (isClosed) {
            throw new CellFuseException(folder + ": the files have been closed");
        }
        long total = shape[0] * rowElements;
        if (firstElement < 0 || firstElement > total - target.remaining()) {
            throw Problems.invalid(
                    folder,
                    "expected elements within the " + total + " of shape " + Problems.shape(shape) + ", found "
                            + target.remaining() + " from element " + firstElement + " on");
        }
        int limit = target.limit();
        long from = firstElement;
        for (int k = partOf(firstElement / rowElements); target.position() < limit; k++) {
            Part part = parts[k];
            long within = from - part.firstRow * rowElements;
            int count = (int) Math.min(limit - target.position(), part.header.elementCount() - within);
            if (count > 0) { // the file may have no rows
                target.limit(target.position() + count);
                read(part, new long[] {within}, target);
                target.limit(limit);
                from += count;
            }
        }
    }

    /** Each of the files is opened once for the pieces that it has all of. */
    @Override
    public void readPieces(long[] firstElements, FloatBuffer target) {
        int length = target.remaining() / firstElements.length;
        for (int at = 0, end; at < firstElements.length; at = end) {
            Part part = parts[partOf(firstElements[at] / rowElements)];
            long first = part.firstRow * rowElements, last = first + part.header.elementCount() - length;
            end = at + 1;
            while (end < firstElements.length && firstElements[end] <= last) {
                end++;
            }
            int limit = target.limit();
            target.limit(target.position() + (end - at) * length);
            if (isClosed || firstElements[at] < first || firstElements[at] > last) {
                read(firstElements[at], target); // a piece of several files, or what is refused
            } else {
                long[] within = Arrays.stream(firstElements, at, end)
                        .map(element -> element - first)
                        .toArray();
                read(part, within, target);
            }
            target.limit(limit);
        }
    }

    /** Returns the index of the file that holds a row. */
    private int partOf(long row) {
        int low = 0;
        int high = parts.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (parts[middle].firstRow <= row) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /** Reads pieces of equal length. */
    private void read(Part part, long[] firstElements, FloatBuffer target) {
        Path path = folder.resolve(part.name);
        NpyHeader header = part.header;
        int bytes = header.type().bytes();
        try (FileChannel channel = channel(path)) {
            int limit = target.limit(), length = target.remaining() / firstElements.length;
            if (header.isFortran()) {
                readFortran(channel, header, firstElements, target);
                part.state.checkSame();
                return;
            }
            StagedRead staged = new StagedRead((long) length * bytes);
            for (long first : firstElements) {
                target.limit(target.position() + length);
                staged.floats(channel, header.dataOffset() + first * bytes, header.type(), header.order(), target);
                target.limit(limit);
            }
        } catch (IOException e) {
            part.state.checkSame(); // the better reason
            throw Problems.io(path, "reading", e);
        }
        part.state.checkSame(); // what was read is worth nothing otherwise
    }

    private static void readFortran(FileChannel channel, NpyHeader header, long[] firstElements, FloatBuffer target)
            throws IOException {
        int base = target.position(),
                count = target.remaining(),
                bytes = header.type().bytes();
        new FortranOrder(header.shape(), bytes)
                .read(
                        firstElements,
                        count / firstElements.length,
                        (position, some) -> StagedRead.fill(channel, position, some),
                        header.dataOffset(),
                        header.order(),
                        (elements, first) -> header.type()
                                .toFloats(elements, target.slice(base + (int) first, elements.remaining() / bytes)));
        target.position(target.limit());
    }

    @Override
    public boolean isFastByRow() {
        return Arrays.stream(parts).noneMatch(part -> part.header.isFortran());
    }

    @Override
    public void close() {
        isClosed = true;
    }
}

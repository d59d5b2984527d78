package io.github.cellfuse.batch;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which rows of an unfinished output are on the disk, and of which run: a text file beside the output. It begins with
 * the run's identity, facts such as the model's fingerprint, and grows by a line for each finished range of rows. Each
 * line ends with a checksum, so that a line that was cut off by a loss of power is recognised and dropped. What was
 * appended is durable when {@link #append} returns; therefore the rows must be durable before.
 *
 * <p>An open journal is locked: no other process can open it. Where the file system has no locks, only other journals
 * of this process are kept away. Thread safe.
 */
public final class Journal implements AutoCloseable {
    private static final String SUFFIX = ".journal";

    /** Far more than the lines of any run; a larger file is something else. */
    private static final long LARGEST = 256L << 20;

    /**
     * The journals that this process holds. They are compared by name, without opening a file: to close a second
     * channel of a file would release the lock of the first. Guarded by itself.
     */
    private static final Set<Path> OPEN = new HashSet<>();

    private final Path path;
    private final Path held;
    private final FileChannel channel;
    private final List<Entry> entries = new ArrayList<>();

    /** Where the next line goes. */
    private long end;

    /** A line may be half written, and nobody knows what is on the disk: no line may follow. */
    private boolean isBroken;

    private boolean isClosed;

    /**
     * Rows whose results are on the disk.
     *
     * @param firstRow the first of them
     * @param rows how many
     * @param checksum what {@link BatchOutput#checksum} returns for them
     */
    public record Entry(long firstRow, int rows, int checksum) {
        public Entry {
            if (firstRow < 0 || rows < 1 || firstRow > Long.MAX_VALUE - rows) {
                throw new IllegalArgumentException(
                        "expected at least 1 row from row 0 on, found " + rows + " from row " + firstRow + " on");
            }
        }

        /** Returns whether any of the rows is one of {@code others}. */
        boolean isAmong(List<Rows> others) {
            return others.stream().anyMatch(each -> each.intersects(firstRow, rows));
        }
    }

    private Journal(Path path, Path held, FileChannel channel) {
        this.path = path;
        this.held = held;
        this.channel = channel;
    }

    /**
     * Returns the journal of the output {@code target}: it has the output's name with {@code .journal} behind it. If
     * that is a link, the journal is beside the file that it names.
     */
    public static Path of(Path target) {
        try {
            Path real = Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
            return real.resolveSibling(real.getFileName() + SUFFIX);
        } catch (IOException e) {
            throw failed(target, "reading the link", e);
        }
    }

    /**
     * Starts a journal without entries.
     *
     * @param identity what must be the same when the run is continued: names and values, any text, in the order in
     *     which they are compared
     * @throws InvalidInputException when there is a journal already, unless it is none of a run that has begun; when
     *     another process writes it; or when the place can't be written
     * @throws CellFuseException when the disk fails
     */
    public static Journal create(Path path, Map<String, String> identity) {
        return create(path, identity, false);
    }

    /**
     * Starts a journal like {@link #create(Path, Map)}. Call it before the unfinished output is touched, which an old
     * journal would describe wrongly then.
     *
     * @param overwrite whether a journal may be replaced, whatever it says
     */
    public static Journal create(Path path, Map<String, String> identity, boolean overwrite) {
        return with(
                path,
                journal -> {
                    if (!overwrite && journal.read().isComplete()) {
                        throw journal.invalid("there is a journal already: an unfinished run can be continued");
                    }
                    journal.begin(identity);
                },
                StandardOpenOption.CREATE);
    }

    /**
     * Opens the journal of an unfinished run to continue it. A journal that ends within its header has no entries, and
     * is begun again.
     *
     * @param identity as it was created with
     * @throws InvalidInputException when there is no journal, it is of another run, of a newer format, damaged or no
     *     journal at all; when another process writes it; or when it can't be opened. The message names the first fact
     *     that differs.
     * @throws CellFuseException when the disk fails
     */
    public static Journal open(Path path, Map<String, String> identity) {
        return with(path, journal -> {
            JournalText text = journal.read();
            if (!text.isComplete()) {
                journal.begin(identity);
                return;
            }
            text.check(identity);
            journal.entries.addAll(text.entries());
            journal.end = text.end();
            if (journal.end < journal.channel.size()) {
                journal.channel.truncate(journal.end);
                journal.channel.force(true);
            }
        });
    }

    private interface Opening {
        void open(Journal journal) throws IOException;
    }

    private static Journal with(Path path, Opening opening, OpenOption... more) {
        Path held = hold(path);
        FileChannel channel = null;
        try {
            Set<OpenOption> options = new HashSet<>(Set.of(more));
            // A link with the journal's name isn't ours: through it, another file would be written.
            options.addAll(Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
            checkIsFile(path);
            channel = FileChannel.open(path, options);
            Journal journal = new Journal(path, held, channel);
            journal.lock();
            opening.open(journal);
            return journal;
        } catch (IOException e) {
            abandon(channel, held);
            throw failed(path, "opening", e);
        } catch (RuntimeException | Error e) {
            abandon(channel, held);
            throw e;
        }
    }

    /** Takes the journal for this process. */
    private static Path hold(Path path) {
        try {
            Path absolute = path.toAbsolutePath();
            Path held = absolute.getParent().toRealPath().resolve(absolute.getFileName());
            synchronized (OPEN) {
                if (!OPEN.add(held)) {
                    throw new InvalidInputException(path + ": this process is writing it already");
                }
            }
            return held;
        } catch (NoSuchFileException e) {
            throw new InvalidInputException(path + ": its folder doesn't exist", e);
        } catch (IOException e) {
            throw failed(path, "opening", e);
        }
    }

    private static void abandon(FileChannel channel, Path held) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException ignored) {
            // What was to be durable has been forced.
        }
        synchronized (OPEN) {
            OPEN.remove(held);
        }
    }

    /** Opening a pipe would wait for a writer. */
    private static void checkIsFile(Path path) {
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new InvalidInputException(path + ": expected a journal, found a folder, a link or a device");
        }
    }

    private void lock() {
        boolean isLocked;
        try {
            isLocked = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            isLocked = false;
        } catch (IOException e) {
            // This file system has no locks. They guard against a mistake; the run doesn't need them.
            isLocked = true;
        }
        // A process that has just finished deleted it after we opened it.
        if (!isLocked || !Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw invalid("another process is writing it");
        }
    }

    private JournalText read() throws IOException {
        long size = channel.size();
        if (size > LARGEST) {
            throw invalid("expected a journal, found a file of " + size + " bytes");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) size);
        while (bytes.hasRemaining() && channel.read(bytes, bytes.position()) > 0) {
            // Once more.
        }
        return JournalText.parse(path, bytes.array(), bytes.position());
    }

    private void begin(Map<String, String> identity) throws IOException {
        byte[] header = JournalText.header(identity).getBytes(StandardCharsets.UTF_8);
        // First nothing, durably: never a mixture of an old journal and this one.
        channel.truncate(0);
        channel.force(true);
        write(0, header);
        channel.force(true);
        end = header.length;
        syncFolder(held.getParent());
    }

    /** Makes the journal's name durable. Not every system supports this. */
    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException ignored) {
            // Windows doesn't open folders.
        }
    }

    private void write(long position, byte[] text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text);
        while (bytes.hasRemaining()) {
            channel.write(bytes, position + bytes.position());
        }
    }

    /**
     * Returns the rows that are on the disk, in the order in which they were appended. Entries may overlap, as rows may
     * be computed twice.
     */
    public synchronized List<Entry> entries() {
        return List.copyOf(entries);
    }

    /**
     * Adds entries, which are durable when this returns. Their rows must be durable before.
     *
     * @throws CellFuseException when the disk fails, has failed before, or the journal is closed. Some of the entries
     *     may be found nevertheless when it is opened again.
     */
    public synchronized void append(List<Entry> more) {
        if (isClosed || isBroken) {
            throw new CellFuseException(
                    path + ": the journal " + (isClosed ? "is closed" : "couldn't be written before"));
        }
        byte[] bytes = bytes(more);
        isBroken = true;
        try {
            write(end, bytes);
            channel.force(false);
        } catch (IOException e) {
            throw failed(path, "writing", e);
        }
        isBroken = false;
        end += bytes.length;
        entries.addAll(more);
    }

    /**
     * Takes entries back that have any of the rows {@code wrong}, durably when this returns. The file is cut before the
     * first of them, and the others behind it are appended again: a crash in between costs finished rows, but never
     * leaves a wrong one.
     *
     * @throws CellFuseException when the disk fails. The file is deleted then, if that is possible.
     */
    synchronized void revoke(List<Rows> wrong) {
        if (isClosed) {
            throw new CellFuseException(path + ": the journal is closed");
        }
        int kept = 0;
        while (kept < entries.size() && !entries.get(kept).isAmong(wrong)) {
            kept++;
        }
        // Also after a failure: the disk may have any of the lines that couldn't be written.
        if (kept == entries.size() && !isBroken) {
            return;
        }
        List<Entry> tail = List.copyOf(entries.subList(kept, entries.size()));
        entries.subList(kept, entries.size()).clear();
        boolean wasBroken = isBroken;
        isBroken = true;
        try {
            end -= bytes(tail).length;
            channel.truncate(end);
            channel.force(true);
        } catch (IOException e) {
            CellFuseException failure = failed(path, "taking wrong rows back", e);
            try {
                Files.deleteIfExists(held);
                syncFolder(held.getParent());
            } catch (IOException again) {
                failure.addSuppressed(again);
            }
            entries.clear();
            throw failure;
        }
        if (!wasBroken) {
            isBroken = false;
            append(tail.stream().filter(entry -> !entry.isAmong(wrong)).toList());
        }
    }

    private static byte[] bytes(List<Entry> entries) {
        StringBuilder lines = new StringBuilder();
        entries.forEach(entry -> lines.append(JournalText.line(entry)));
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Deletes the file, when the output has its final name, and closes the journal. Never throws. */
    public synchronized void delete() {
        if (isClosed) {
            return;
        }
        try {
            // While it is locked: afterwards it may be another's.
            Files.deleteIfExists(held);
        } catch (IOException ignored) {
            // A journal without an unfinished output does no harm.
        }
        close();
    }

    /** Keeps the file. Closing twice does nothing. */
    @Override
    public synchronized void close() {
        if (!isClosed) {
            isClosed = true;
            abandon(channel, held);
        }
    }

    private InvalidInputException invalid(String what) {
        return new InvalidInputException(path + ": " + what);
    }

    private static CellFuseException failed(Path path, String doing, IOException cause) {
        if (cause instanceof NoSuchFileException) {
            return new InvalidInputException(path + ": no such file: there is nothing to continue", cause);
        }
        if (cause instanceof ClosedByInterruptException) {
            return new CellFuseException(path + ": interrupted while " + doing, cause);
        }
        if (cause instanceof FileSystemException refused && refused.getFile() != null) {
            // The name is refused, not the disk broken: permissions, a name that is too long, a read-only disk.
            String reason = refused.getReason() == null ? refused.getClass().getSimpleName() : refused.getReason();
            return new InvalidInputException(path + ": " + doing + " failed: " + reason, cause);
        }
        String reason = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new CellFuseException(path + ": " + doing + " failed: " + reason, cause);
    }
}

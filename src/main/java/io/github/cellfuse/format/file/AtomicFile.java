package io.github.cellfuse.format.file;

import io.github.cellfuse.CellFuseException;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A file that appears under its name complete or not at all. The content goes to an unfinished file in the same folder,
 * so that renaming is atomic. {@link #commit()} makes it durable and renames it. {@link #close()} deletes a file that
 * was begun with {@link #create}; one of {@link #resumable} stays, to be opened and continued. Several threads may use
 * the channel; committing and closing exclude each other.
 */
public final class AtomicFile implements AutoCloseable {
    /** Unfinished files, which are deleted if the program is interrupted, for example by Ctrl-C. Guarded by itself. */
    private static final Set<Path> UNFINISHED = new HashSet<>();

    /** Deletes the unfinished files; null while there are none: a hook keeps the class and its loader in memory. */
    private static Thread hook;

    /**
     * Characters of the final name in the temporary one: file systems allow 255 bytes, and the final name may take them
     * all.
     */
    private static final int NAME_KEPT = 40;

    private static final String PARTIAL = ".partial";

    private static final long GIB = 1L << 30;

    private final Path target;
    private final boolean overwrite;
    private final Path temporary;
    private final FileChannel channel;
    private final boolean isKept;
    private boolean closed;

    /**
     * What was written may be lost without a trace: after a failed {@code fsync}, a system may forget it, and the next
     * one succeeds.
     */
    private volatile boolean isBroken;

    private AtomicFile(Path target, boolean overwrite, Path temporary, FileChannel channel, boolean isKept) {
        this.target = target;
        this.overwrite = overwrite;
        this.temporary = temporary;
        this.channel = channel;
        this.isKept = isKept;
    }

    /**
     * Starts a file.
     *
     * @throws io.github.cellfuse.InvalidInputException when the target exists and may not be overwritten, isn't a plain
     *     file, or its folder is missing or can't be written
     */
    public static AtomicFile create(Path target, boolean overwrite) {
        return begin(target, overwrite, real -> {
            Path temporary = real.toAbsolutePath()
                    .resolveSibling(temporaryName(Problems.fileName(real).toString()));
            // Not Files.createTempFile: it makes the file readable by its owner alone, and the result would stay so.
            FileChannel channel = FileChannel.open(
                    temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            begin(temporary);
            return new AtomicFile(real, overwrite, temporary, channel, false);
        });
    }

    /**
     * Starts a file that stays unfinished if it is closed, or if the program or the machine ends, or continues one. Two
     * must not be open for the same target; that is for the caller to prevent.
     *
     * @param isContinued whether to keep what an unfinished file holds; there need not be one
     * @throws io.github.cellfuse.InvalidInputException as {@link #create} does
     */
    public static AtomicFile resumable(Path target, boolean overwrite, boolean isContinued) {
        return begin(target, overwrite, real -> {
            Path partial = partial(real);
            if (Files.exists(partial, LinkOption.NOFOLLOW_LINKS)
                    && !Files.isRegularFile(partial, LinkOption.NOFOLLOW_LINKS)) {
                throw Problems.invalid(partial, "expected an unfinished file, found a folder, a link or a device");
            }
            // The name can be guessed: in a shared folder, a link could lead to another file.
            FileChannel channel = FileChannel.open(
                    partial,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS);
            try {
                if (!isContinued) {
                    // Its space is free then, too.
                    channel.truncate(0);
                }
            } catch (IOException e) {
                channel.close();
                throw e;
            }
            return new AtomicFile(real, overwrite, partial, channel, true);
        });
    }

    /** Returns the unfinished file of {@link #resumable} for a target; there need not be one. */
    public static Path unfinished(Path target) {
        try {
            return partial(Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target);
        } catch (IOException e) {
            throw Problems.io(target, "reading the link", e);
        }
    }

    private static Path partial(Path real) {
        return real.toAbsolutePath().resolveSibling(Problems.fileName(real) + PARTIAL);
    }

    private interface Beginning {
        AtomicFile begin(Path real) throws IOException;
    }

    private static AtomicFile begin(Path target, boolean overwrite, Beginning beginning) {
        try {
            // Through a symbolic link the file that it names is replaced, not the link.
            Path real = Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
            Path folder = real.toAbsolutePath().getParent();
            if (folder == null || !Files.isDirectory(folder)) {
                throw Problems.invalid(target, "the folder " + folder + " doesn't exist; make it first");
            }
            checkTarget(real, target, overwrite);
            return beginning.begin(real);
        } catch (FileSystemException e) {
            // No permission, a read-only disk, or a name that is too long: the target is wrong, and the disk isn't
            // broken.
            String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
            throw Problems.invalid(
                    target, "expected a place to write, found that a file can't be created: " + reason, e);
        } catch (IOException e) {
            throw Problems.io(target, "creating a file in its folder", e);
        }
    }

    private static String temporaryName(String name) {
        int kept = name.offsetByCodePoints(0, Math.min(NAME_KEPT, name.codePointCount(0, name.length())));
        String random = Long.toString(ThreadLocalRandom.current().nextLong(Long.MAX_VALUE), Character.MAX_RADIX);
        return "." + name.substring(0, kept) + ".cellfuse-" + random + ".tmp";
    }

    private static void checkTarget(Path real, Path named, boolean overwrite) throws IOException {
        try {
            // Not Files.exists, which returns false for a name that no file can have.
            Files.readAttributes(real, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return;
        }
        if (!Files.isRegularFile(real)) {
            throw Problems.invalid(
                    named,
                    "expected a file to write, found a "
                            + (Files.isDirectory(real) ? "folder" : "device or a broken link"));
        }
        if (!overwrite) {
            throw Problems.invalid(named, "the file exists already; ask for it to be overwritten, or name another");
        }
    }

    /** Returns the unfinished file, for reading and writing at any position. */
    public FileChannel channel() {
        return channel;
    }

    /** Returns the final name. */
    Path target() {
        return target;
    }

    /**
     * Gives the file its length before it is filled, durably, so that a file system that can't hold it says so now. It
     * takes no space yet. What it holds beyond is cut off.
     *
     * @param missing how many of its bytes are still to be written
     * @throws CellFuseException when there is less space than that, the file system has no files of this length, or the
     *     disk fails
     */
    public void reserve(long length, long missing) {
        try {
            Path folder = target.toAbsolutePath().getParent();
            long free = free(folder);
            if (free < missing) {
                throw new CellFuseException(target + ": needs " + size(missing) + ", " + size(free) + " are free in "
                        + folder + "; free some space, or write to another disk");
            }
            if (channel.size() > length) {
                channel.truncate(length);
            } else if (channel.size() < length) {
                ArrayRegion.write(channel, length - 1, ByteBuffer.allocate(1));
            }
            force(true);
            syncFolder(folder);
        } catch (IOException e) {
            throw Problems.io(target, "reserving " + size(length), e);
        }
    }

    /**
     * Returns the free space of a folder's file system, or the largest number if nothing is known of it. Doesn't use
     * {@link Files#getFileStore}, which fails in a chroot whose root isn't among the mounts.
     */
    private static long free(Path folder) {
        if (folder.getFileSystem() != FileSystems.getDefault()) {
            return Long.MAX_VALUE;
        }
        File file = folder.toFile();
        return file.getTotalSpace() > 0 ? file.getUsableSpace() : Long.MAX_VALUE;
    }

    private static String size(long bytes) {
        return bytes < GIB
                ? String.format(Locale.ROOT, "%.1f MiB", bytes * 1024.0 / GIB)
                : String.format(Locale.ROOT, "%.1f GiB", (double) bytes / GIB);
    }

    /** Makes durable what has been written, under the unfinished file's name. */
    public void force() {
        try {
            // Without the times of access and change, which nobody needs. The size counts as content.
            force(false);
        } catch (IOException e) {
            throw Problems.io(target, "writing", e);
        }
    }

    private void force(boolean metadata) throws IOException {
        if (isBroken) {
            throw new IOException("what was written before may be lost");
        }
        try {
            channel.force(metadata);
        } catch (IOException e) {
            isBroken = true;
            throw e;
        }
    }

    /** Makes the content durable and gives the file its final name. The file is closed afterwards. */
    public synchronized void commit() {
        if (closed) {
            throw new CellFuseException(target + ": the file has been closed");
        }
        try {
            // The content before the name, or a power cut could leave the name with holes behind it.
            force(true);
            channel.close();
            checkTarget(target, target, overwrite);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            end(temporary);
            closed = true;
            syncFolder(target.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw Problems.io(target, "writing", e);
        } finally {
            close();
        }
    }

    /** Makes the new name durable too. Not every system supports this; the file is complete either way. */
    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException ignored) {
            // Windows doesn't open folders.
        }
    }

    /** Closes the file, and deletes it unless it was committed or is resumable. Never throws; may be called twice. */
    @Override
    public synchronized void close() {
        close(isKept);
    }

    /** Closes the file, and deletes it unless it was committed. Never throws; may be called twice. */
    public synchronized void delete() {
        close(false);
    }

    private void close(boolean isKept) {
        if (closed) {
            return;
        }
        closed = true;
        try {
            channel.close();
        } catch (IOException ignored) {
            // Nothing of the file is kept, or what was to be durable has been forced.
        }
        if (!isKept) {
            delete(temporary);
        }
        end(temporary);
    }

    private static void begin(Path temporary) {
        synchronized (UNFINISHED) {
            UNFINISHED.add(temporary);
            if (hook == null) {
                Thread created = new Thread(AtomicFile::deleteUnfinished, "cellfuse-temporary-files");
                try {
                    Runtime.getRuntime().addShutdownHook(created);
                    hook = created;
                } catch (IllegalStateException shuttingDown) {
                    // Too late for a hook: close() deletes the file, if it still runs.
                }
            }
        }
    }

    private static void end(Path temporary) {
        synchronized (UNFINISHED) {
            UNFINISHED.remove(temporary);
            if (UNFINISHED.isEmpty() && hook != null) {
                try {
                    Runtime.getRuntime().removeShutdownHook(hook);
                } catch (IllegalStateException shuttingDown) {
                    // It runs already, and finds nothing.
                }
                hook = null;
            }
        }
    }

    private static void deleteUnfinished() {
        synchronized (UNFINISHED) {
            UNFINISHED.forEach(AtomicFile::delete);
        }
    }

    private static void delete(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException ignored) {
            // A hidden .tmp file stays; nothing better can be done here.
        }
    }
}

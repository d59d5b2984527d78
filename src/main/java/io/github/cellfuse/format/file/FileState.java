package io.github.cellfuse.format.file;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;

/**
 * A file's size and time when its reading began. What another process writes to the file in the meantime would be read
 * as a mixture of both, and beyond a new end zeros are read up to the end of a page. A file that was replaced by
 * another one of its name, or deleted, stays readable as it was.
 */
public final class FileState {
    private final Path path;
    private final Object key; // the system's own name of the file; null on Windows
    private final long size;
    private final FileTime modified;

    private FileState(Path path, BasicFileAttributes attributes) {
        this.path = path;
        key = attributes.fileKey();
        size = attributes.size();
        modified = attributes.lastModifiedTime();
    }

    /** Returns the state of a file that is about to be opened. */
    public static FileState of(Path path) throws IOException {
        return new FileState(path, Files.readAttributes(path, BasicFileAttributes.class));
    }

    /**
     * Throws if the file has changed since.
     *
     * @throws InvalidInputException with the sizes, or the times if the size is the same
     */
    public void checkUnchanged() {
        FileState now;
        try {
            now = now();
        } catch (NoSuchFileException deleted) {
            return;
        }
        if (Objects.equals(key, now.key)) {
            checkEqual(now);
        }
    }

    /**
     * Throws if the file has changed since, or was replaced or deleted. For readers that open it again.
     *
     * @throws InvalidInputException with what has changed
     */
    public void checkSame() {
        FileState now;
        try {
            now = now();
        } catch (NoSuchFileException deleted) {
            throw Problems.invalid(path, "the file was deleted while it was needed", deleted);
        }
        if (!Objects.equals(key, now.key)) {
            throw Problems.invalid(
                    path, "the file was replaced while it was read; run again when nothing writes to it");
        }
        checkEqual(now);
    }

    /** Returns whether the name is still that of the same file. */
    boolean isSameFile() {
        try {
            return Objects.equals(key, now().key);
        } catch (NoSuchFileException deleted) {
            return false;
        }
    }

    private FileState now() throws NoSuchFileException {
        try {
            return of(path);
        } catch (NoSuchFileException deleted) {
            throw deleted;
        } catch (IOException e) {
            throw Problems.io(path, "comparing its size", e);
        }
    }

    private void checkEqual(FileState now) {
        String difference = size != now.size
                ? "expected " + size + " bytes, found " + now.size
                : modified.equals(now.modified) ? null : "expected the time " + modified + ", found " + now.modified;
        if (difference != null) {
            throw Problems.invalid(
                    path,
                    "the file changed while it was read: " + difference + "; run again when nothing writes to it");
        }
    }
}

package io.github.cellfuse.format.file;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Collection;
import java.util.stream.Collectors;

/** The error messages of all file formats: one line each, which begins with the file. */
public final class Problems {
    /** Names may come from damaged files; a longer one would hide the rest of the message. */
    private static final int LONGEST_NAME = 100;

    /** More than NumPy allows: only a damaged file has more. */
    private static final int MOST_DIMENSIONS = 64;

    /** Enough to recognise a file by. */
    private static final int MOST_NAMES = 6;

    private Problems() {}

    /** Something is wrong in {@code file}. */
    public static InvalidInputException invalid(Object file, String what) {
        return new InvalidInputException(oneLine(file + ": " + what));
    }

    /** Returns the same with the exception that showed it. */
    public static InvalidInputException invalid(Object file, String what, Throwable cause) {
        return new InvalidInputException(oneLine(file + ": " + what), cause);
    }

    /**
     * Returns the exception for a failed disk, for an interrupted thread, or for a file that can't be opened, which the
     * caller can correct.
     */
    public static CellFuseException io(Object file, String doing, IOException cause) {
        if (cause instanceof NoSuchFileException) {
            return invalid(file, "no such file", cause);
        }
        if (cause instanceof AccessDeniedException) {
            return invalid(file, doing + ": permission denied", cause);
        }
        if (cause instanceof FileSystemException refused && isImpossible(refused)) {
            return invalid(file, doing + ": the system doesn't accept this file name: " + refused.getReason(), cause);
        }
        if (cause instanceof ClosedByInterruptException) {
            return new CellFuseException(oneLine(file + ": interrupted while " + doing), cause);
        }
        return new CellFuseException(oneLine(file + ": " + doing + " failed: " + reason(cause)), cause);
    }

    /**
     * Returns whether no file can have the name: it is too long, or below a file. The system then refuses it even to
     * look at it, which other failures, such as too many open files, don't prevent.
     */
    private static boolean isImpossible(FileSystemException refused) {
        if (refused.getFile() == null || refused.getReason() == null) {
            return false;
        }
        try {
            Files.readAttributes(Path.of(refused.getFile()), BasicFileAttributes.class);
            return false;
        } catch (NoSuchFileException | AccessDeniedException e) {
            return false;
        } catch (FileSystemException e) {
            return refused.getReason().equals(e.getReason());
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Refuses what exists and isn't a plain file. Opening a pipe would wait for a writer, and a device may never end.
     *
     * @throws InvalidInputException for a folder, a device or a pipe
     */
    public static void checkIsFile(Path path) {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw invalid(
                    path, "expected a file, found a " + (Files.isDirectory(path) ? "folder" : "device or a pipe"));
        }
    }

    private static String reason(IOException cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    /** Returns a name out of a file, in quotes, cut when it is unreasonably long. */
    public static String quote(String name) {
        String cut = name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME) + "...";
        return "'" + oneLine(cut) + "'";
    }

    /** {@code [4, 3]}; as Python writes a list, so that it can be compared with what the user's script prints. */
    public static String shape(long... shape) {
        String end = shape.length > MOST_DIMENSIONS ? ", ...]" : "]";
        return Arrays.stream(shape)
                .limit(MOST_DIMENSIONS)
                .mapToObj(Long::toString)
                .collect(Collectors.joining(", ", "[", end));
    }

    /** Returns the first few of many names. */
    public static String some(Collection<String> names) {
        String few = names.stream().limit(MOST_NAMES).map(Problems::quote).collect(Collectors.joining(", "));
        int more = names.size() - MOST_NAMES;
        return names.isEmpty() ? "none" : more > 0 ? few + " and " + more + " more" : few;
    }

    static Path fileName(Path path) {
        return path.getFileName() == null ? path : path.getFileName();
    }

    /**
     * Returns a text with a question mark in place of each control character. Names in files may contain line breaks
     * and commands for a terminal.
     */
    public static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        message.codePoints().forEach(c -> line.appendCodePoint(Character.isISOControl(c) ? '?' : c));
        return line.toString();
    }
}

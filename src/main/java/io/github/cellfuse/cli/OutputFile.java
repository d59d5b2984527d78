package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Checks of a file to be written, made before any work: hours of computing shall not end in a missing folder. */
public final class OutputFile {
    private OutputFile() {}

    /**
     * Refuses a target that can't be written.
     *
     * @param suffixes the endings that it may have, such as {@code .npy}
     * @param inputs files that are read, and mustn't be replaced while they are
     */
    public static void check(Path target, boolean overwrite, List<String> suffixes, Path... inputs) {
        String name = target.toString().toLowerCase(Locale.ROOT);
        if (suffixes.stream().noneMatch(name::endsWith)) {
            throw invalid(
                    target,
                    "expected a name that ends in "
                            + suffixes.stream().collect(Collectors.joining(" or "))
                            + ", found " + (ending(target).isEmpty() ? "no ending" : ending(target)));
        }
        Path folder = target.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw invalid(target, "expected an existing folder, found none at " + folder);
        }
        boolean isThere = isThere(target);
        if (isThere && !Files.isRegularFile(target)) {
            String kind = Files.isDirectory(target) ? "folder" : Files.exists(target) ? "device" : "broken link";
            throw invalid(target, "expected a file to write, found a " + kind);
        }
        for (Path input : inputs) {
            if (isSame(target, input)) {
                throw invalid(target, "expected another file than the input " + input + ", found the same");
            }
        }
        if (isThere && !overwrite) {
            throw invalid(target, "expected no such file yet, found one; --overwrite replaces it");
        }
        if (!Files.isWritable(folder)) {
            throw invalid(target, "expected a folder that can be written, found " + folder + " without permission");
        }
    }

    /** Whether anything has this name, be it a link to nowhere; refuses a name that no file can have. */
    private static boolean isThere(Path target) {
        try {
            Files.readAttributes(target, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return true;
        } catch (NoSuchFileException e) {
            return false;
        } catch (FileSystemException e) {
            throw new InvalidInputException(
                    target + ": expected a name that a file can have, found that the system refuses it: "
                            + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason()),
                    e);
        } catch (IOException e) {
            throw new InvalidInputException(target + ": can't be looked at: " + e.getMessage(), e);
        }
    }

    private static boolean isSame(Path target, Path input) {
        try {
            return Files.exists(target) && Files.exists(input) && Files.isSameFile(target, input);
        } catch (IOException e) {
            throw new InvalidInputException(target + ": can't be compared with " + input + ": " + e.getMessage(), e);
        }
    }

    private static String ending(Path target) {
        String name = target.getFileName() == null ? "" : target.getFileName().toString();
        return name.lastIndexOf('.') > 0 ? name.substring(name.lastIndexOf('.')) : "";
    }

    private static InvalidInputException invalid(Path target, String what) {
        return new InvalidInputException(target + ": " + what);
    }
}

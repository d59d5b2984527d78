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

/** Checks an output file before any work is done: hours of computing must not end at a missing folder. */
public final class OutputFile {
    private OutputFile() {}

    /**
     * Rejects a target that can't be written.
     *
     * @param suffixes the endings that the target's name may have, such as {@code .npy}
     * @param inputs the files that are read, none of which the target may replace
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
            boolean isFile = folder != null && Files.exists(folder);
            throw invalid(
                    target, isFile ? folder + " is a file, not a folder" : "the folder " + folder + " doesn't exist");
        }
        boolean isThere = isThere(target);
        if (isThere && !Files.isRegularFile(target)) {
            String kind = Files.isDirectory(target) ? "folder" : Files.exists(target) ? "device" : "broken link";
            throw new InvalidInputException(target + " is a " + kind + ", not a file");
        }
        for (Path input : inputs) {
            if (isSame(target, input)) {
                throw new InvalidInputException(target + " is the same file as the input " + input);
            }
        }
        if (isThere && !overwrite) {
            throw new InvalidInputException(target + " already exists; use --overwrite to replace it");
        }
        if (!Files.isWritable(folder)) {
            throw invalid(target, "no permission to write to the folder " + folder);
        }
    }

    /** Returns whether anything has this name, even a broken link. Rejects a name that no file can have. */
    private static boolean isThere(Path target) {
        try {
            Files.readAttributes(target, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return true;
        } catch (NoSuchFileException e) {
            return false;
        } catch (FileSystemException e) {
            throw new InvalidInputException(
                    target + ": the system doesn't accept this file name: "
                            + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason()),
                    e);
        } catch (IOException e) {
            throw new InvalidInputException(target + ": reading the attributes failed: " + e.getMessage(), e);
        }
    }

    private static boolean isSame(Path target, Path input) {
        try {
            return Files.exists(target) && Files.exists(input) && Files.isSameFile(target, input);
        } catch (IOException e) {
            throw new InvalidInputException(target + ": comparing with " + input + " failed: " + e.getMessage(), e);
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

package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;

/** Arguments that name a pipe: {@code -} is stdin or stdout, and a shell's {@code <(...)} is a file of its own kind. */
public final class Pipes {
    private static final Path STANDARD = Path.of("-");

    /** The kind of a file in its mode, and that of a pipe. */
    private static final int KIND = 0170000, PIPE = 0010000;

    private Pipes() {}

    /** Returns whether a path is {@code -} or a pipe. A file of this name is {@code ./-}. */
    public static boolean isPipe(Path path) {
        if (path.equals(STANDARD)) {
            return true;
        }
        try {
            return !Files.isRegularFile(path)
                    && !Files.isDirectory(path)
                    && ((int) Files.getAttribute(path, "unix:mode") & KIND) == PIPE;
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return false; // not there, or a system without modes
        }
    }

    /** Opens a pipe for reading; waits until somebody writes to it. */
    public static InputStream read(Path path) {
        if (!path.equals(STANDARD)) {
            try {
                return interruptible(new FileInputStream(path.toFile()));
            } catch (IOException e) {
                throw Problems.invalid(path, "opening failed: " + e.getMessage(), e);
            }
        }
        if (Terminal.isTerminal(0)) {
            throw new InvalidInputException(
                    "stdin: expected a .npy file, such as cat x.npy | cellfuse ..., found a terminal");
        }
        return interruptible(new FileInputStream(FileDescriptor.in));
    }

    /** Returns a stream whose closing ends a read that waits for data. */
    private static InputStream interruptible(FileInputStream file) {
        return Channels.newInputStream(file.getChannel());
    }

    /** Opens a pipe for writing; waits until somebody reads from it. */
    public static OutputStream write(Path path) {
        if (!path.equals(STANDARD)) {
            try {
                return new FileOutputStream(path.toFile());
            } catch (IOException e) {
                throw Problems.invalid(path, "opening failed: " + e.getMessage(), e);
            }
        }
        return new FileOutputStream(FileDescriptor.out);
    }

    /** Rejects a terminal, which would show bytes as letters. */
    public static void checkOutput(Path path) {
        if (path.equals(STANDARD) && Terminal.isTerminal(1)) {
            throw new InvalidInputException(
                    "stdout: expected a pipe or a file for the .npy file, such as -o - | ..., found a terminal");
        }
    }

    /** Returns the name of an input in messages. */
    public static String inputName(Path path) {
        return path.equals(STANDARD) ? "stdin" : path.toString();
    }

    /** Returns the name of an output in messages. */
    public static String outputName(Path path) {
        return path.equals(STANDARD) ? "stdout" : path.toString();
    }
}

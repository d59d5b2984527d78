package io.github.cellfuse.cli;

import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A temporary file for an output that isn't written in order, and goes into a pipe when it is complete. It has a folder
 * of its own, which only this user can enter.
 */
public final class SpooledOutput implements AutoCloseable {
    private final Path pipe, folder, file;

    /** Makes the folder; the caller makes the file. */
    public SpooledOutput(Path pipe, String name) {
        this.pipe = pipe;
        try {
            folder = Files.createTempDirectory("cellfuse-");
            file = folder.resolve(name);
        } catch (IOException e) {
            throw Problems.io(pipe, "making a temporary folder", e);
        }
    }

    /** Returns the file to write. */
    public Path file() {
        return file;
    }

    /** Copies the file into the pipe. */
    public void send() {
        try (OutputStream stream = Pipes.write(pipe)) {
            Files.copy(file, stream);
        } catch (IOException e) {
            throw Problems.io(Pipes.outputName(pipe), "writing", e);
        }
    }

    /** Deletes the file. */
    @Override
    public void close() {
        try {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            // A temporary file stays; nothing better can be done here.
        }
    }
}

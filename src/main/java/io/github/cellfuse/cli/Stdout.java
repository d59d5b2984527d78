package io.github.cellfuse.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.util.Optional;

/**
 * The process's stdout, which remembers why writing failed. A {@code PrintWriter} keeps that to itself, and a report that a full
 * disk cut off would pass for a whole one. Not thread safe.
 */
final class Stdout extends FilterOutputStream {
    private IOException failure;

    Stdout() {
        super(new FileOutputStream(FileDescriptor.out));
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            failure = failure == null ? e : failure;
            throw e;
        }
    }

    /** Why something is missing; empty, too, where the reader has left, as {@code head} does: it has what it wanted. */
    Optional<IOException> failure() {
        return Optional.ofNullable(failure)
                .filter(e -> !String.valueOf(e.getMessage()).contains("Broken pipe"));
    }
}

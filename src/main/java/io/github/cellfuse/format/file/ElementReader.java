package io.github.cellfuse.format.file;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads bytes of a file that are there, from any place. */
public interface ElementReader {
    /** Fills what remains of {@code target} with the bytes from {@code position} on. */
    void fill(long position, ByteBuffer target) throws IOException;
}

package io.github.cellfuse.format.file;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;

/**
 * Reads elements through a small buffer. Unlike a mapping, this adds no page of the file to the memory of the process,
 * however much is read. Belongs to one thread.
 */
public final class StagedRead {
    /** Fits a core's cache, from where the elements are converted. */
    private static final int PIECE_BYTES = 1 << 17;

    private final ByteBuffer piece;

    /** Prepares to read {@code bytes} bytes; more can be read, too. */
    public StagedRead(long bytes) {
        piece = ByteBuffer.allocateDirect((int) Math.min(PIECE_BYTES, bytes));
    }

    /**
     * Fills what remains of {@code target} with elements from {@code position} on, converted to float32, and moves its
     * position to its limit.
     *
     * @throws EOFException when the file ends before
     */
    public void floats(FileChannel channel, long position, ElementType type, ByteOrder order, FloatBuffer target)
            throws IOException {
        piece.order(order);
        for (long at = position; target.hasRemaining(); at += piece.limit()) {
            int whole = piece.capacity() - piece.capacity() % type.bytes();
            piece.clear().limit((int) Math.min(whole, (long) target.remaining() * type.bytes()));
            fill(channel, at, piece);
            type.toFloats(piece.flip(), target);
        }
    }

    /**
     * Fills what remains of {@code target} with the bytes from {@code position} on.
     *
     * @throws EOFException when the file ends before
     */
    public static void fill(FileChannel channel, long position, ByteBuffer target) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new EOFException("the file ends at byte " + at);
            }
            at += count;
        }
    }
}

package io.github.cellfuse.format;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Sizes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A part of a file that holds an array of little-endian float32. */
final class FloatRegion implements ArraySink {
    /** Floats on their way from the caller's memory to a file; a direct buffer, which the channel writes without another copy. */
    private static final int STAGING_BYTES = 1 << 18;

    private final Object label;
    private final FileChannel channel;
    private final long offset;
    private final long[] shape;
    private final long count;
    private final Coverage written = new Coverage();

    /** As many as there were threads writing at once. */
    private final ConcurrentLinkedQueue<ByteBuffer> staging = new ConcurrentLinkedQueue<>();

    FloatRegion(Object label, FileChannel channel, long offset, long... shape) {
        this.label = label;
        this.channel = channel;
        this.offset = offset;
        this.shape = shape.clone();
        this.count = Sizes.product(label + ": shape " + Problems.shape(shape), shape);
    }

    /** The bytes of an array of float32. */
    static long bytes(Object label, long... shape) {
        String what = label + ": shape " + Problems.shape(shape);
        return Sizes.product(what, Sizes.product(what, shape), Float.BYTES);
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public long elementCount() {
        return count;
    }

    @Override
    public void write(long firstElement, FloatBuffer source) {
        int length = source.remaining();
        if (firstElement < 0 || firstElement > count - length) {
            throw Problems.invalid(
                    label,
                    "expected elements within the " + count + " of shape " + Problems.shape(shape) + ", found " + length
                            + " from element " + firstElement + " on");
        }
        ByteBuffer bytes = staging.poll();
        if (bytes == null) {
            bytes = ByteBuffer.allocateDirect(STAGING_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        }
        try {
            long position = offset + firstElement * Float.BYTES;
            while (source.hasRemaining()) {
                int part = Math.min(source.remaining(), STAGING_BYTES / Float.BYTES);
                bytes.clear();
                bytes.asFloatBuffer().put(source.slice(source.position(), part));
                bytes.limit(part * Float.BYTES);
                write(channel, position, bytes);
                source.position(source.position() + part);
                position += (long) part * Float.BYTES;
            }
        } catch (ClosedChannelException e) {
            throw new CellFuseException(
                    label + ": writing failed: the file has been closed, or its thread was interrupted", e);
        } catch (IOException e) {
            throw Problems.io(label, "writing", e);
        } finally {
            staging.add(bytes);
        }
        written.add(firstElement, firstElement + length);
    }

    /** Refuses an array with elements that were never written: they would be read as zeros. */
    void checkComplete() {
        long missing = written.firstMissing();
        if (missing < count) {
            throw new CellFuseException(
                    label + ": not finished: element " + missing + " of " + count + " was never written");
        }
    }

    /** Writes all that remains of {@code bytes}; a channel may take less at a time. */
    static void write(FileChannel channel, long position, ByteBuffer bytes) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }
}

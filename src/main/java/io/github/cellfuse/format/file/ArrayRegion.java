package io.github.cellfuse.format.file;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.spi.Sizes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A part of a file that holds an array of little-endian elements. */
public final class ArrayRegion implements ArraySink {
    /**
     * Stages elements between the caller's memory and a file, in a direct buffer, which the channel writes without
     * another copy.
     */
    private static final int STAGING_BYTES = 1 << 18;

    private final Object label;
    private final FileChannel channel;
    private final long offset;
    private final ElementType type;
    private final long[] shape;
    private final long count;
    private final Coverage written = new Coverage();

    /** Staging buffers: as many as the largest number of threads that wrote at the same time. */
    private final ConcurrentLinkedQueue<ByteBuffer> staging = new ConcurrentLinkedQueue<>();

    public ArrayRegion(Object label, FileChannel channel, long offset, ElementType type, long... shape) {
        this.label = label;
        this.channel = channel;
        this.offset = offset;
        this.type = type;
        this.shape = shape.clone();
        this.count = Sizes.product(label + ": shape " + Problems.shape(shape), shape);
    }

    /** Returns the bytes of an array. */
    public static long bytes(Object label, ElementType type, long... shape) {
        String what = label + ": shape " + Problems.shape(shape);
        return Sizes.product(what, Sizes.product(what, shape), type.bytes());
    }

    @Override
    public ElementType type() {
        return type;
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
        if (type != ElementType.FLOAT32) {
            throw Problems.invalid(label, "expected elements of type " + type + ", found float32");
        }
        write(firstElement, source.remaining(), (bytes, count) -> {
            bytes.asFloatBuffer().put(source.slice(source.position(), count));
            source.position(source.position() + count);
        });
    }

    @Override
    public void write(long firstElement, ByteBuffer source) {
        if (source.remaining() % type.bytes() != 0) {
            throw Problems.invalid(
                    label,
                    "expected whole elements of " + type.bytes() + " bytes, found " + source.remaining() + " bytes");
        }
        write(firstElement, source.remaining() / type.bytes(), (bytes, count) -> {
            ByteBuffer part =
                    source.slice(source.position(), count * type.bytes()).order(source.order());
            ElementConversion.copy(type, part, bytes);
            source.position(source.position() + part.limit());
        });
    }

    /** Moves elements from the caller's memory into the staging buffer. */
    private interface Filling {
        void fill(ByteBuffer bytes, int count);
    }

    private void write(long firstElement, int length, Filling filling) {
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
            for (int done = 0; done < length; ) {
                int part = Math.min(length - done, STAGING_BYTES / type.bytes());
                filling.fill(bytes.clear(), part);
                bytes.clear().limit(part * type.bytes());
                write(channel, offset + (firstElement + done) * type.bytes(), bytes);
                done += part;
            }
        } catch (ClosedByInterruptException e) {
            throw Problems.io(label, "writing", e);
        } catch (ClosedChannelException e) {
            throw new CellFuseException(
                    label + ": writing failed: the file has been closed, or another of its threads was interrupted", e);
        } catch (IOException e) {
            throw Problems.io(label, "writing", e);
        } finally {
            staging.add(bytes);
        }
        written.add(firstElement, firstElement + length);
    }

    /** Throws if elements were never written: readers would see zeros. */
    public void checkComplete() {
        long missing = written.firstMissing();
        if (missing < count) {
            throw new CellFuseException(
                    label + ": not finished: element " + missing + " of " + count + " was never written");
        }
    }

    /** Writes all remaining {@code bytes}, as a channel may take fewer per call. */
    public static void write(FileChannel channel, long position, ByteBuffer bytes) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }
}

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
import java.util.zip.Checksum;

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
    public void write(long firstElement, FloatBuffer source, Checksum checksum) {
        if (type != ElementType.FLOAT32) {
            throw Problems.invalid(label, "expected elements of type " + type + ", found float32");
        }
        write(firstElement, source.remaining(), checksum, (bytes, count) -> {
            bytes.asFloatBuffer().put(source.slice(source.position(), count));
            source.position(source.position() + count);
        });
    }

    @Override
    public void write(long firstElement, ByteBuffer source, Checksum checksum) {
        if (source.remaining() % type.bytes() != 0) {
            throw Problems.invalid(
                    label,
                    "expected whole elements of " + type.bytes() + " bytes, found " + source.remaining() + " bytes");
        }
        write(firstElement, source.remaining() / type.bytes(), checksum, (bytes, count) -> {
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

    private void write(long firstElement, int length, Checksum checksum, Filling filling) {
        checkRange(firstElement, length);
        ByteBuffer bytes = staged();
        try {
            for (int done = 0; done < length; ) {
                int part = Math.min(length - done, STAGING_BYTES / type.bytes());
                filling.fill(bytes.clear(), part);
                checksum.update(bytes.clear().limit(part * type.bytes()));
                write(channel, offset + (firstElement + done) * type.bytes(), bytes.rewind());
                done += part;
            }
        } catch (IOException e) {
            throw failed("writing", e);
        } finally {
            staging.add(bytes);
        }
        written.add(firstElement, firstElement + length);
    }

    @Override
    public void checksum(long firstElement, long length, Checksum checksum) {
        checkRange(firstElement, length);
        ByteBuffer bytes = staged();
        try {
            long end = offset + (firstElement + length) * type.bytes();
            for (long at = offset + firstElement * type.bytes(); at < end; ) {
                bytes.clear().limit((int) Math.min(STAGING_BYTES, end - at));
                if (channel.read(bytes, at) < 0) {
                    // The file ends with the last element written so far: what follows is zeros, as it would be in
                    // a gap.
                    zero(bytes);
                }
                at += bytes.position();
                checksum.update(bytes.flip());
            }
        } catch (IOException e) {
            throw failed("reading it back", e);
        } finally {
            staging.add(bytes);
        }
    }

    private static void zero(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            bytes.put((byte) 0);
        }
    }

    private void checkRange(long firstElement, long length) {
        if (firstElement < 0 || length < 0 || firstElement > count - length) {
            throw Problems.invalid(
                    label,
                    "expected elements within the " + count + " of shape " + Problems.shape(shape) + ", found " + length
                            + " from element " + firstElement + " on");
        }
    }

    private ByteBuffer staged() {
        ByteBuffer bytes = staging.poll();
        return bytes != null ? bytes : ByteBuffer.allocateDirect(STAGING_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private CellFuseException failed(String doing, IOException cause) {
        if (cause instanceof ClosedChannelException && !(cause instanceof ClosedByInterruptException)) {
            return new CellFuseException(
                    label + ": " + doing
                            + " failed: the file has been closed, or another of its threads was interrupted",
                    cause);
        }
        return Problems.io(label, doing, cause);
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

package io.github.cellfuse.format.npy;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.ArrayFile;
import io.github.cellfuse.format.file.ArrayRegion;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.Checksum;

/**
 * Writes a {@code .npy} array of float32 into a pipe, in order: what comes early is kept until what is before it has
 * come. An element can't be written twice. What has been written can't be taken back, so a failure leaves a part of an
 * array in the pipe.
 *
 * <p>Thread safe.
 */
public final class NpyPipe implements ArraySink, ArrayFile {
    private static final int BUFFER = 1 << 16;

    private final Object label;
    private final OutputStream stream;
    private final long[] shape;
    private final long count;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    /** What came early, by its first element. */
    private final TreeMap<Long, float[]> early = new TreeMap<>();

    private long next;

    /**
     * Writes the header.
     *
     * @param label the pipe, as messages name it
     * @param stream closed by {@link #close}
     * @throws CellFuseException when writing fails
     */
    public NpyPipe(Object label, OutputStream stream, long... shape) {
        this.label = label;
        this.stream = stream;
        this.shape = shape.clone();
        count = ArrayRegion.bytes(label, ElementType.FLOAT32, shape) / Float.BYTES;
        send(NpyHeader.encode(ElementType.FLOAT32, shape), -1);
    }

    @Override
    public ElementType type() {
        return ElementType.FLOAT32;
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
    public synchronized void write(long firstElement, FloatBuffer source, Checksum checksum) {
        int length = source.remaining();
        if (firstElement > count - length) {
            throw Problems.invalid(
                    label,
                    "expected elements within the " + count + " of shape " + Problems.shape(shape) + ", found " + length
                            + " from element " + firstElement + " on");
        }
        if (length > 0 && (firstElement < next || early.containsKey(firstElement))) {
            throw new CellFuseException(label + ": element " + firstElement
                    + " has to be written again, as a device gave wrong values, but a pipe can't take it back; what was"
                    + " read from it is wrong");
        }
        if (firstElement > next) {
            float[] kept = new float[length];
            source.get(kept);
            early.put(firstElement, kept);
            return;
        }
        send(source);
        Map.Entry<Long, float[]> first;
        while ((first = early.firstEntry()) != null && first.getKey() == next) {
            early.remove(first.getKey());
            send(FloatBuffer.wrap(first.getValue()));
        }
    }

    private void send(FloatBuffer values) {
        next += values.remaining();
        while (values.hasRemaining()) {
            int part = Math.min(values.remaining(), BUFFER / Float.BYTES);
            buffer.clear().asFloatBuffer().put(values.slice(values.position(), part));
            values.position(values.position() + part);
            send(buffer.array(), part * Float.BYTES);
        }
    }

    /** Sends the first {@code length} bytes; all for -1. */
    private void send(byte[] bytes, int length) {
        try {
            stream.write(bytes, 0, length < 0 ? bytes.length : length);
        } catch (IOException e) {
            boolean isGone = String.valueOf(e.getMessage()).contains("Broken pipe");
            throw isGone
                    ? new CellFuseException(label + ": the reader has gone away before the end", e)
                    : Problems.io(label, "writing", e);
        }
    }

    @Override
    public void write(long firstElement, ByteBuffer source, Checksum checksum) {
        throw new UnsupportedOperationException("only float32 is written into a pipe");
    }

    @Override
    public void checksum(long firstElement, long length, Checksum checksum) {
        throw new UnsupportedOperationException("a pipe can't be read back");
    }

    @Override
    public void markWritten(long firstElement, long length) {
        throw new UnsupportedOperationException("a pipe can't be continued");
    }

    /** Does nothing: nobody knows how much its reader takes. */
    @Override
    public void reserve() {}

    /** Does nothing: what is in a pipe is the reader's. */
    @Override
    public void force() {}

    @Override
    public synchronized void commit() {
        if (next < count) {
            throw new CellFuseException(
                    label + ": not finished: element " + next + " of " + count + " was never written");
        }
        close();
    }

    @Override
    public void delete() {
        close();
    }

    @Override
    public void close() {
        try {
            stream.close();
        } catch (IOException e) {
            // Every byte was written before, and has its own error.
        }
    }
}

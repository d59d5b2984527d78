package io.github.cellfuse.format.npy;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.SpooledFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An array in NumPy's {@code .npy} format that comes through a pipe. Elements are kept from when they have come until
 * they are {@linkplain #release released}; in between they can be read in any order and more than once.
 *
 * <p>Thread safe. A read waits until its elements have come.
 */
public final class NpyStream implements ArraySource {
    /** A multiple of every element's bytes, so that no element lies across two blocks. */
    private static final int BLOCK_BYTES = 1 << 20;

    private final Object label;
    private final InputStream stream;
    private final NpyHeader header;
    private final byte[] head;
    private final long bytes;
    /** What was read and not released, in order, and blocks for what comes next. Guarded by this. */
    private final List<byte[]> blocks = new ArrayList<>(), free = new ArrayList<>();

    /** The number of blocks that were released, and of bytes that were read. Guarded by this. */
    private long released, received;

    private volatile boolean closed;

    private NpyStream(Object label, InputStream stream, NpyHeader header, byte[] head) {
        this.label = label;
        this.stream = stream;
        this.header = header;
        this.head = head;
        bytes = header.elementCount() * header.type().bytes();
    }

    /**
     * Reads the header of an array from {@code stream}, which it takes over.
     *
     * @param label the stream, as messages name it
     * @throws io.github.cellfuse.InvalidInputException when it isn't the header of an array of a supported dtype
     * @throws CellFuseException when reading fails
     */
    public static NpyStream open(InputStream stream, Object label) {
        Head head = new Head(stream, label);
        head.checkMagic();
        NpyHeader header = NpyHeader.read(head::bytes, 0, Long.MAX_VALUE, label);
        return new NpyStream(label, stream, header, Arrays.copyOf(head.read, head.count));
    }

    /** What has been read of a stream: exactly the header, as the data is read in blocks. */
    private static final class Head {
        private final InputStream stream;
        private final Object label;
        private byte[] read = new byte[256];
        private int count;

        Head(InputStream stream, Object label) {
            this.stream = stream;
            this.label = label;
        }

        /** Rejects what isn't an array, and says what it is. */
        void checkMagic() {
            fill(NpyHeader.MAGIC.length);
            if (count == 0) {
                throw Problems.invalid(label, "expected a .npy file, found that it ended without a byte");
            }
            if (!Arrays.equals(Arrays.copyOf(read, count), NpyHeader.MAGIC)) {
                fill(OtherArray.START_BYTES);
                throw OtherArray.refusal(Arrays.copyOf(read, count), label);
            }
        }

        byte[] bytes(long position, int some) {
            int end = Math.toIntExact(position + some);
            fill(end);
            if (count < end) {
                throw Problems.invalid(
                        label, "truncated in the header: expected at least " + end + " bytes, found " + count);
            }
            return Arrays.copyOfRange(read, (int) position, end);
        }

        private void fill(int wanted) {
            if (wanted <= count) {
                return;
            }
            read = Arrays.copyOf(read, Math.max(read.length, wanted));
            try {
                count += stream.readNBytes(read, count, wanted - count);
            } catch (IOException e) {
                throw Problems.io(label, "reading", e);
            }
        }
    }

    /** Returns whether its rows come one after another, rather than mixed as in Fortran order. */
    public boolean isRowByRow() {
        return !header.isFortran();
    }

    /**
     * Reads everything into a temporary file, and returns an array in it. Only before anything else was read.
     *
     * @throws io.github.cellfuse.InvalidInputException when the stream ends too early
     * @throws CellFuseException when reading or the disk fails
     */
    public NpyArray spool() {
        InputStream all = new SequenceInputStream(new ByteArrayInputStream(head), stream);
        return NpyArray.of(SpooledFile.of(all, label), label);
    }

    @Override
    public String name() {
        return label.toString();
    }

    @Override
    public long[] shape() {
        return header.shape().clone();
    }

    /** Rows in another order would have to be kept. */
    @Override
    public boolean isFastByRow() {
        return false;
    }

    @Override
    public synchronized void read(long firstElement, FloatBuffer target) {
        int width = header.type().bytes();
        long at = firstElement * width, end = at + (long) target.remaining() * width;
        if (firstElement < 0 || end > bytes) {
            throw Problems.invalid(
                    label,
                    "expected elements within the " + header.elementCount() + " of shape "
                            + Problems.shape(header.shape()) + ", found " + target.remaining() + " from element "
                            + firstElement + " on");
        }
        if (closed) {
            throw new CellFuseException(label + ": the stream has been closed");
        }
        if (at < released * BLOCK_BYTES) {
            throw new CellFuseException(label + ": element " + firstElement
                    + " is needed again, as its row was wrong, but a pipe can't be read twice; run with a file");
        }
        receive(end);
        while (at < end) {
            int within = (int) (at % BLOCK_BYTES), part = (int) Math.min(end - at, BLOCK_BYTES - within);
            ByteBuffer block = ByteBuffer.wrap(blocks.get((int) (at / BLOCK_BYTES - released)));
            header.type().toFloats(block.slice(within, part).order(header.order()), target);
            at += part;
        }
    }

    /** Reads up to {@code end}, and no further: more may be long in coming. */
    private void receive(long end) {
        while (received < end) {
            int within = (int) (received % BLOCK_BYTES), wanted = (int) Math.min(end - received, BLOCK_BYTES - within);
            if (within == 0) {
                blocks.add(free.isEmpty() ? new byte[BLOCK_BYTES] : free.remove(free.size() - 1));
            }
            int count;
            try {
                count = stream.readNBytes(blocks.get(blocks.size() - 1), within, wanted);
            } catch (IOException e) {
                throw Problems.io(label, "reading", e);
            }
            if (count < wanted) {
                throw Problems.invalid(
                        label,
                        "truncated: expected " + bytes + " bytes of data for " + header.descr() + " of shape "
                                + Problems.shape(header.shape()) + ", found that it ended after "
                                + (received + count));
            }
            received += count;
        }
    }

    /** Keeps elements before {@code firstElement} no more: they are never read again. */
    public synchronized void release(long firstElement) {
        long before = firstElement * header.type().bytes() / BLOCK_BYTES;
        while (released < before && !blocks.isEmpty()) {
            free.add(blocks.remove(0));
            released++;
        }
    }

    /** Also ends a read that waits. */
    @Override
    public void close() {
        closed = true;
        try {
            stream.close();
        } catch (IOException e) {
            // Everything that is needed has been read, or its loss was reported.
        }
    }
}

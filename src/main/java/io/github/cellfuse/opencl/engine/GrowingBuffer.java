package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.spi.Sizes;

/**
 * A buffer that a session keeps from run to run and that grows with the largest batch. New memory is filled with zeros:
 * tiles may read rows that no run has written yet.
 */
public final class GrowingBuffer {
    private final ClContext context;
    private final ClQueue queue;
    private final String name;
    private ClBuffer buffer;

    public GrowingBuffer(ClContext context, ClQueue queue, String name) {
        this.context = context;
        this.queue = queue;
        this.name = name;
    }

    /** Makes room for a tensor of 4-byte values with these dimensions. When the buffer grows, its contents are lost. */
    public ClBuffer ensure(long... dimensions) {
        return ensure("use a smaller batch", dimensions);
    }

    /**
     * The same.
     *
     * @param remedy what to do if the device has no buffers of this size, for the message
     */
    ClBuffer ensure(String remedy, long... dimensions) {
        long bytes = bytes(name, dimensions);
        if (buffer == null || buffer.bytes() < bytes) {
            checkLargest(bytes, remedy);
            if (buffer != null) {
                // Freed first, so that the device needn't hold both. No kernel uses it any more: the last run was
                // waited for.
                buffer.close();
                buffer = null;
            }
            ClBuffer larger = context.device().capabilities().hostUnifiedMemory()
                    ? context.hostBuffer(name, bytes, ClBuffer.Access.READ_WRITE)
                    : context.buffer(name, bytes, ClBuffer.Access.READ_WRITE);
            try {
                queue.zero(larger);
            } catch (RuntimeException | Error e) {
                larger.close();
                throw e;
            }
            buffer = larger;
        }
        return buffer;
    }

    /** Returns the bytes of a tensor of 4-byte values. A buffer has at least one value. */
    static long bytes(String name, long... dimensions) {
        return Sizes.product(name, Math.max(1, Sizes.product(name, dimensions)), Float.BYTES);
    }

    /** Checks the size before anything is freed or uploaded, so that a session can go on with smaller batches. */
    private void checkLargest(long bytes, String remedy) {
        long largest = context.device().capabilities().maxAllocationBytes();
        if (bytes > largest) {
            throw new InvalidInputException(name + ": the batch needs " + bytes + " bytes, but " + context.device()
                    + " allocates at most " + largest + " at once; " + remedy);
        }
    }

    /** Frees the memory. */
    public void close() {
        if (buffer != null) {
            buffer.close();
        }
    }

    /** Returns the buffer as {@link #ensure} left it. */
    ClBuffer get() {
        return buffer;
    }
}

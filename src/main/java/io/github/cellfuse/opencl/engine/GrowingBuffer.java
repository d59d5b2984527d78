package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.spi.Sizes;

/**
 * A buffer that a session keeps from run to run and that grows with the largest batch. New memory is filled with zeros: tiles may
 * read rows that no run has written yet.
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

    /** Makes room for a tensor of 4-byte values with these dimensions; what was in it is lost when it grows. */
    public ClBuffer ensure(long... dimensions) {
        long bytes = bytes(name, dimensions);
        if (buffer == null || buffer.bytes() < bytes) {
            checkLargest(bytes);
            if (buffer != null) {
                // Freed first, so that old and new need not fit side by side; kernels that use it have been waited for.
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

    /** The bytes of a tensor of 4-byte values; a buffer has at least one value. */
    static long bytes(String name, long... dimensions) {
        return Sizes.product(name, Math.max(1, Sizes.product(name, dimensions)), Float.BYTES);
    }

    /** Asked before anything is freed or uploaded: a session goes on with what it had. */
    private void checkLargest(long bytes) {
        long largest = context.device().capabilities().maxAllocationBytes();
        if (bytes > largest) {
            throw new InvalidInputException(name + ": the batch needs " + bytes + " bytes of it, and "
                    + context.device() + " allocates at most " + largest + " at once; use a smaller batch");
        }
    }

    public void close() {
        if (buffer != null) {
            buffer.close();
        }
    }

    /** The buffer as {@link #ensure} left it. */
    ClBuffer get() {
        return buffer;
    }
}

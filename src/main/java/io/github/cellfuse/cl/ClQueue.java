package io.github.cellfuse.cl;

import io.github.cellfuse.InvalidInputException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.jocl.cl_command_queue;
import org.jocl.cl_event;

/**
 * An in-order command queue: commands run one after another in the order in which they were given. Not thread-safe;
 * make one per thread.
 *
 * <p>Offsets and sizes are in bytes. Host buffers must be direct, and read or written from their position to their
 * limit, neither of which is changed. Closing waits for what is still running, and only logs what that reports;
 * {@link #finish()} first where it matters.
 */
public final class ClQueue extends ClObject {
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(Integer.BYTES).asReadOnlyBuffer();

    private final ClContext context;
    private final cl_command_queue raw;
    private final boolean profiling;
    /** Whether kernels were launched: what fails then may be one of them. */
    private boolean launched;

    private ClQueue(ClContext context, cl_command_queue raw, boolean profiling, Handle handle) {
        super(handle);
        this.context = context;
        this.raw = raw;
        this.profiling = profiling;
    }

    static ClQueue open(ClContext context, boolean profiling) {
        String name = (profiling ? "profiling queue on " : "queue on ") + context.device();
        cl_command_queue raw = Cl.createQueue(context.raw(), context.device().deviceId(), profiling, name);
        Handle handle = Handle.open(
                name,
                () -> {
                    try {
                        Cl.finish(raw, name); // no kernel may outlive the buffers that are closed after this queue
                    } finally {
                        Cl.releaseQueue(raw);
                    }
                },
                context.handle());
        return new ClQueue(context, raw, profiling, handle);
    }

    /** Returns the context that this queue belongs to. */
    public ClContext context() {
        return context;
    }

    /** Returns whether this queue's events carry times. */
    public boolean profiling() {
        return profiling;
    }

    /**
     * Enqueues {@code kernel} over {@code range} and returns at once, without creating an event or any Java object. The
     * range may be changed as soon as this returns.
     *
     * @throws IllegalStateException when this queue, the kernel or a buffer bound to it is closed
     * @throws ClException when the driver refuses
     */
    public void launch(ClKernel kernel, NdRange range) {
        checkOpen();
        try {
            Cl.launch(raw, kernel.ready(context), range, null, kernel);
        } catch (ClException e) {
            throw explained(e);
        }
        launched = true;
    }

    /** As {@link #launch}, and returns the event of the command; the caller closes it. */
    public ClEvent launchEvent(ClKernel kernel, NdRange range) {
        checkOpen();
        cl_event event = new cl_event();
        try {
            Cl.launch(raw, kernel.ready(context), range, event, kernel);
        } catch (ClException e) {
            throw explained(e);
        }
        launched = true;
        return ClEvent.open(this, event, kernel.toString());
    }

    /**
     * Writes host memory to a buffer and returns when {@code from} may be reused.
     *
     * @throws InvalidInputException when {@code from} is not direct, or does not fit
     */
    public void write(ClBuffer to, long toOffset, ByteBuffer from) {
        transfer(to, toOffset, from, from.remaining(), true);
    }

    /** As {@link #write(ClBuffer, long, ByteBuffer)}; {@code from} must be in native byte order. */
    public void write(ClBuffer to, long toOffset, FloatBuffer from) {
        nativeOrder(to, from.order());
        transfer(to, toOffset, from, (long) from.remaining() * Float.BYTES, true);
    }

    /**
     * Reads from a buffer to host memory, all that {@code to} has room for, and returns when it is there. Waits for
     * every earlier command of this queue.
     *
     * @throws InvalidInputException when {@code to} is not direct or read-only, or asks for more than the buffer holds
     */
    public void read(ClBuffer from, long fromOffset, ByteBuffer to) {
        transfer(from, fromOffset, to, to.remaining(), false);
    }

    /** As {@link #read(ClBuffer, long, ByteBuffer)}; {@code to} must be in native byte order. */
    public void read(ClBuffer from, long fromOffset, FloatBuffer to) {
        nativeOrder(from, to.order());
        transfer(from, fromOffset, to, (long) to.remaining() * Float.BYTES, false);
    }

    /**
     * Enqueues writing host memory to a buffer and returns at once. {@code from} must stay alive and unchanged until
     * the event is complete. Fast from the memory of a {@linkplain ClContext#hostBuffer host buffer} that stays mapped.
     *
     * @return the event of the command; the caller closes it
     * @throws InvalidInputException when {@code from} is not direct, is empty, or does not fit
     */
    public ClEvent writeLater(ClBuffer to, long toOffset, ByteBuffer from) {
        return transferLater(to, toOffset, from, true);
    }

    /**
     * Enqueues reading from a buffer to host memory and returns at once. {@code to} must stay alive and untouched until
     * the event is complete.
     *
     * @return the event of the command; the caller closes it
     * @throws InvalidInputException when {@code to} is not direct, is read-only or empty, or asks for more than the
     *     buffer holds
     */
    public ClEvent readLater(ClBuffer from, long fromOffset, ByteBuffer to) {
        return transferLater(from, fromOffset, to, false);
    }

    /**
     * Makes every later command of this queue begin after the command of {@code event}, of this queue or another one of
     * the context. Returns at once. {@linkplain #flush() Flush} the other queue, too.
     */
    public void waitFor(ClEvent event) {
        checkOpen();
        if (event.queue().context() != context) {
            throw new IllegalArgumentException(event + " belongs to another context than " + this);
        }
        Cl.barrier(raw, event.raw(), this);
    }

    /** Enqueues a copy on the device and returns at once. Within one buffer the two ranges must not overlap. */
    public void copy(ClBuffer from, long fromOffset, ClBuffer to, long toOffset, long bytes) {
        checkOpen();
        from.check(context, fromOffset, bytes);
        to.check(context, toOffset, bytes);
        if (bytes > 0) {
            Cl.copy(raw, from.raw(), to.raw(), fromOffset, toOffset, bytes, from);
        }
    }

    /** Enqueues filling {@code buffer} with zeros and returns at once. */
    public void zero(ClBuffer buffer) {
        zero(buffer, 0, buffer.bytes());
    }

    /** Enqueues filling a part of {@code buffer} with zeros and returns at once. */
    public void zero(ClBuffer buffer, long offset, long bytes) {
        checkOpen();
        buffer.check(context, offset, bytes);
        if (bytes > 0) {
            // OpenCL wants offset and size to be multiples of the pattern's; words where they are, because drivers are
            // faster at it.
            int pattern = (offset | bytes) % Integer.BYTES == 0 ? Integer.BYTES : 1;
            Cl.fill(raw, buffer.raw(), ZEROS, pattern, offset, bytes, buffer);
        }
    }

    /**
     * Enqueues filling a part of {@code buffer} with one 32-bit pattern and returns at once.
     *
     * @param offset a multiple of 4
     * @param bytes a multiple of 4
     * @param pattern the bits of each word, such as {@code Float.floatToRawIntBits(x)}
     */
    public void fill(ClBuffer buffer, long offset, long bytes, int pattern) {
        checkOpen();
        buffer.check(context, offset, bytes);
        if ((offset | bytes) % Integer.BYTES != 0) {
            throw new InvalidInputException(
                    buffer + ": filled by words of 4 bytes, but the offset is " + offset + " and the size " + bytes);
        }
        if (bytes > 0) {
            ByteBuffer word = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());
            word.putInt(0, pattern);
            Cl.fill(raw, buffer.raw(), word, Integer.BYTES, offset, bytes, buffer);
        }
    }

    /**
     * Maps the whole of {@code buffer}, which must be less than 2 GiB; see {@link #map(ClBuffer, MappedBuffer.Mode,
     * long, long)}.
     */
    public MappedBuffer map(ClBuffer buffer, MappedBuffer.Mode mode) {
        return map(buffer, mode, 0, buffer.bytes());
    }

    /**
     * Maps a part of {@code buffer} into the host's memory, when every earlier command of this queue is done. No
     * command may touch the mapped part until the mapping is closed.
     *
     * @param bytes 1 to 2³¹−1: what one Java buffer can address; larger buffers are mapped piece by piece
     */
    public MappedBuffer map(ClBuffer buffer, MappedBuffer.Mode mode, long offset, long bytes) {
        checkOpen();
        buffer.check(context, offset, bytes);
        if (bytes < 1 || bytes > Integer.MAX_VALUE) {
            throw new InvalidInputException(
                    buffer + ": a mapping holds 1 to " + Integer.MAX_VALUE + " bytes, found " + bytes);
        }
        try {
            return MappedBuffer.open(this, raw, buffer, mode, offset, bytes);
        } catch (ClException e) {
            throw explained(e);
        }
    }

    /** Enqueues a marker: its event is complete when every earlier command of this queue is. The caller closes it. */
    public ClEvent marker() {
        checkOpen();
        cl_event event = new cl_event();
        Cl.marker(raw, event, this);
        return ClEvent.open(this, event, "marker");
    }

    /** Hands the commands given so far to the device, without waiting. */
    public void flush() {
        checkOpen();
        explained(() -> Cl.flush(raw, this));
    }

    /** Waits until every command given so far is complete. */
    public void finish() {
        checkOpen();
        explained(() -> Cl.finish(raw, this));
    }

    /** Does {@code call}, and tells what may have happened to a kernel before it if that fails. */
    void explained(Runnable call) {
        try {
            call.run();
        } catch (ClException e) {
            throw explained(e);
        }
    }

    private ClException explained(ClException e) {
        boolean isGpu = context.device().capabilities().type() == Capabilities.Type.GPU;
        return launched && isGpu ? e.afterLaunch() : e;
    }

    private void transfer(ClBuffer buffer, long offset, Buffer host, long bytes, boolean write) {
        check(buffer, offset, host, bytes, write);
        if (bytes > 0) { // OpenCL refuses empty transfers; an empty batch needs none
            enqueue(buffer, offset, host, bytes, write, null);
        }
    }

    private ClEvent transferLater(ClBuffer buffer, long offset, ByteBuffer host, boolean write) {
        check(buffer, offset, host, host.remaining(), write);
        if (!host.hasRemaining()) {
            throw new InvalidInputException(buffer + ": expected bytes to transfer, found none in " + host);
        }
        cl_event event = new cl_event();
        enqueue(buffer, offset, host, host.remaining(), write, event);
        return ClEvent.open(this, event, (write ? "write to " : "read from ") + buffer);
    }

    private void check(ClBuffer buffer, long offset, Buffer host, long bytes, boolean write) {
        checkOpen();
        buffer.check(context, offset, bytes);
        if (!host.isDirect()) {
            throw new InvalidInputException(buffer + ": host memory must be a direct buffer, found " + host);
        }
        if (!write && host.isReadOnly()) {
            throw new InvalidInputException(buffer + ": cannot read into a read-only host buffer");
        }
    }

    private void enqueue(ClBuffer buffer, long offset, Buffer host, long bytes, boolean write, cl_event event) {
        try {
            if (write) {
                Cl.write(raw, buffer.raw(), offset, bytes, host, event, buffer);
            } else {
                Cl.read(raw, buffer.raw(), offset, bytes, host, event, buffer);
            }
        } catch (ClException e) {
            throw explained(e);
        }
    }

    private static void nativeOrder(ClBuffer buffer, ByteOrder order) {
        if (order != ByteOrder.nativeOrder()) {
            throw new InvalidInputException(buffer + ": host memory must be in native byte order ("
                    + ByteOrder.nativeOrder() + "), found " + order);
        }
    }
}

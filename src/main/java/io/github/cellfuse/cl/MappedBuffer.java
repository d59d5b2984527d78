package io.github.cellfuse.cl;

import java.nio.ByteBuffer;
import org.jocl.CL;
import org.jocl.cl_command_queue;
import org.jocl.cl_mem;

/**
 * A part of a {@link ClBuffer} mapped into the host's memory; closing it unmaps. Not thread-safe.
 *
 * <p>After writing, end with {@link #unmap()}, which can fail; {@link #close()} only logs a failure. Each unmapping
 * costs one of JOCL's waiting threads for a moment (tenths of a millisecond on PoCL), so map large parts and transfer
 * small ones.
 *
 * <p>Closing hands the memory back to the device in the order of the queue and does not wait. The {@link #bytes() view}
 * must not be touched afterwards: like any view of native memory it would then read or write memory that is no longer
 * there.
 */
public final class MappedBuffer extends ClObject {
    /** What the host does with the mapped memory. */
    public enum Mode {
        READ(CL.CL_MAP_READ),
        WRITE(CL.CL_MAP_WRITE),
        READ_WRITE(CL.CL_MAP_READ | CL.CL_MAP_WRITE),
        /** The host overwrites all of it: the previous content isn't transferred and must not be read. */
        OVERWRITE(CL.CL_MAP_WRITE_INVALIDATE_REGION);

        private final long flags;

        Mode(long flags) {
            this.flags = flags;
        }
    }

    private final ByteBuffer bytes;

    private MappedBuffer(ByteBuffer bytes, Handle handle) {
        super(handle);
        this.bytes = bytes;
    }

    static MappedBuffer open(
            ClQueue queue, cl_command_queue rawQueue, ClBuffer buffer, Mode mode, long offset, long bytes) {
        String what = "mapping of " + bytes + " bytes at offset " + offset + " of " + buffer;
        cl_mem raw = buffer.raw();
        ByteBuffer view = Cl.map(rawQueue, raw, mode.flags, offset, bytes, what);
        // A child of both, so that the memory is unmapped before either is closed.
        Handle handle = Handle.open(what, () -> Cl.unmap(rawQueue, raw, view, what), queue.handle(), buffer.handle());
        return new MappedBuffer(mode == Mode.READ ? view.asReadOnlyBuffer().order(view.order()) : view, handle);
    }

    /**
     * Unmaps like {@link #close()}, but throws if that fails: the device may then not have what the host wrote. Call it
     * at the end of the block that writes; the close that follows does nothing.
     *
     * @throws IllegalStateException when the mapping is closed
     * @throws ClException when the driver refuses
     */
    public void unmap() {
        checkOpen();
        if (handle().release() instanceof RuntimeException failure) {
            throw failure;
        }
    }

    /**
     * The mapped memory, in native byte order; read-only for {@link Mode#READ}. Always the same object: its position
     * and limit are the caller's to move.
     *
     * @throws IllegalStateException when the mapping is closed
     */
    public ByteBuffer bytes() {
        checkOpen();
        return bytes;
    }
}

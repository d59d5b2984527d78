package io.github.cellfuse.cl;

import io.github.cellfuse.InvalidInputException;
import org.jocl.CL;
import org.jocl.cl_mem;

/**
 * A piece of device memory with a name and a fixed size in bytes. The object is safe to share; what is in the memory is
 * ordered by the queues that use it.
 */
public final class ClBuffer extends ClObject {
    /** What kernels may do with a buffer. */
    public enum Access {
        READ_WRITE(CL.CL_MEM_READ_WRITE),
        READ_ONLY(CL.CL_MEM_READ_ONLY),
        WRITE_ONLY(CL.CL_MEM_WRITE_ONLY);

        private final long flag;

        Access(long flag) {
            this.flag = flag;
        }
    }

    private final ClContext context;
    private final cl_mem raw;
    private final long bytes;
    private final Access access;

    private ClBuffer(ClContext context, cl_mem raw, long bytes, Access access, Handle handle) {
        super(handle);
        this.context = context;
        this.raw = raw;
        this.bytes = bytes;
        this.access = access;
    }

    static ClBuffer open(ClContext context, String name, long bytes, Access access, boolean host) {
        context.checkOpen();
        String what = "buffer '" + name + "' of " + bytes + " bytes";
        if (bytes < 1) {
            throw new InvalidInputException(what + ": expected at least 1 byte");
        }
        long largest = context.device().capabilities().maxAllocationBytes();
        if (bytes > largest) {
            // Checked here because some drivers accept the size and fail much later, or never.
            throw new ClException(
                    "clCreateBuffer",
                    CL.CL_INVALID_BUFFER_SIZE,
                    what + " is more than the " + largest + " bytes that " + context.device() + " allocates at once");
        }
        long flags = access.flag | (host ? CL.CL_MEM_ALLOC_HOST_PTR : 0);
        cl_mem raw = Cl.createBuffer(context.raw(), flags, bytes, what + " on " + context.device());
        return new ClBuffer(
                context, raw, bytes, access, Handle.open(what, () -> Cl.releaseBuffer(raw), context.handle()));
    }

    /** Returns the size, in bytes. */
    public long bytes() {
        return bytes;
    }

    /** Returns what kernels may do with this buffer. */
    public Access access() {
        return access;
    }

    cl_mem raw() {
        checkOpen();
        return raw;
    }

    void check(ClContext user) {
        checkOpen();
        if (user != context) {
            throw new IllegalArgumentException(this + " belongs to another context than the one it is used in");
        }
    }

    void check(ClContext user, long offset, long length) {
        check(user);
        if (offset < 0 || length < 0 || length > bytes - offset) {
            throw new InvalidInputException(this + ": " + length + " bytes at offset " + offset + " are outside it");
        }
    }
}

package io.github.cellfuse.cl;

import io.github.cellfuse.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_kernel;
import org.jocl.cl_program;

/**
 * A kernel with its bound arguments. Arguments stay bound from launch to launch, so set constant ones once. Not thread
 * safe, like OpenCL's own kernel objects; make one per thread.
 */
public final class ClKernel extends ClObject {
    /** The driver's facts about a compiled kernel on the context's device. Sizes are in bytes. */
    public record Info(
            long maxWorkGroupSize, long preferredWorkGroupMultiple, long localMemoryBytes, long privateMemoryBytes) {}

    private final ClContext context;
    private final ClProgram program;
    private final String name;
    private final cl_kernel raw;
    private final ClBuffer[]
            bound; // by argument, null where it is no buffer: a launch on closed memory takes the process down

    /**
     * Holds a number while the driver copies it. Kept, as direct memory is expensive and a run binds dozens of numbers.
     */
    private final ByteBuffer word = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());

    private ClKernel(ClProgram program, String name, cl_kernel raw, int arguments, Handle handle) {
        super(handle);
        this.program = program;
        this.name = name;
        this.context = program.context();
        this.raw = raw;
        this.bound = new ClBuffer[arguments];
    }

    static ClKernel open(ClProgram program, cl_program rawProgram, String name) {
        String what = "kernel '" + name + "'";
        cl_kernel raw = Cl.createKernel(rawProgram, name, what + " of " + program);
        int arguments;
        try {
            arguments = Cl.kernelArguments(raw, what);
        } catch (RuntimeException e) {
            Cleanup.after(e, () -> Cl.releaseKernel(raw));
            throw e;
        }
        return new ClKernel(
                program, name, raw, arguments, Handle.open(what, () -> Cl.releaseKernel(raw), program.handle()));
    }

    /** Returns its name in the program, such as {@code "lstm_step"}. */
    public String name() {
        return name;
    }

    /** Returns the program that this kernel belongs to. */
    public ClProgram program() {
        return program;
    }

    /** Returns the number of its arguments. */
    public int arguments() {
        return bound.length;
    }

    /** Binds argument {@code index} to a buffer of the same context. */
    public ClKernel setBuffer(int index, ClBuffer buffer) {
        buffer.check(context);
        return set(index, Sizeof.cl_mem, Pointer.to(buffer.raw()), buffer);
    }

    /** Binds argument {@code index}, an {@code int} or {@code uint} in the kernel. */
    public ClKernel setInt(int index, int value) {
        return set(index, Integer.BYTES, Pointer.to(word.putInt(0, value)), null);
    }

    /** Binds argument {@code index}, a {@code float} in the kernel; its bits arrive unchanged. */
    public ClKernel setFloat(int index, float value) {
        return setInt(index, Float.floatToRawIntBits(value));
    }

    /** Returns the driver's facts about this kernel on the context's device. Queries the driver at each call. */
    public Info info() {
        checkOpen();
        return new Info(
                info(CL.CL_KERNEL_WORK_GROUP_SIZE),
                info(CL.CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE),
                info(CL.CL_KERNEL_LOCAL_MEM_SIZE),
                info(CL.CL_KERNEL_PRIVATE_MEM_SIZE));
    }

    /**
     * Returns the largest work-group that the device runs this kernel with: what the device has at most if the driver
     * doesn't say anything else. Queries the driver at each call.
     */
    public long maxWorkGroupSize() {
        checkOpen();
        long ofDevice = context.device().capabilities().maxWorkGroupSize();
        try {
            long told = info(CL.CL_KERNEL_WORK_GROUP_SIZE);
            return told > 0 ? Math.min(told, ofDevice) : ofDevice;
        } catch (ClException notTold) {
            return ofDevice;
        }
    }

    private long info(int name) {
        return Cl.kernelLong(raw, context.device().deviceId(), name, toString());
    }

    private ClKernel set(int index, long size, Pointer value, ClBuffer buffer) {
        checkOpen();
        if (index < 0 || index >= bound.length) {
            throw new InvalidInputException(this + ": has " + bound.length + " arguments, no argument " + index);
        }
        Cl.setArgument(raw, index, size, value, this);
        bound[index] = buffer;
        return this;
    }

    /** Returns the kernel after checking that it may be launched in {@code user}. */
    cl_kernel ready(ClContext user) {
        checkOpen();
        if (user != context) {
            throw new IllegalArgumentException(this + " belongs to another context than the queue");
        }
        for (ClBuffer buffer : bound) {
            if (buffer != null) {
                buffer.checkOpen();
            }
        }
        return raw;
    }
}

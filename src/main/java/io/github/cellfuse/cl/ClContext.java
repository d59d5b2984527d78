package io.github.cellfuse.cl;

import io.github.cellfuse.InvalidInputException;
import java.util.List;
import org.jocl.CL;
import org.jocl.cl_context;
import org.jocl.cl_program;

/**
 * An OpenCL context on one device: the owner of its queues, programs and buffers. Safe for use from several threads.
 */
public final class ClContext extends ClObject {
    private final ClDevice device;
    private final cl_context raw;

    private ClContext(ClDevice device, cl_context raw, Handle handle) {
        super(handle);
        this.device = device;
        this.raw = raw;
    }

    /**
     * Opens a context on {@code device}.
     *
     * @throws ClException when the device {@linkplain Capabilities#obstacle() can't be used}, or the driver refuses
     */
    public static ClContext open(ClDevice device) {
        return open(device, true);
    }

    /**
     * Opens a context whose owner reports if it is dropped. So nothing in it is reported by itself. Errors as for
     * {@link #open(ClDevice)}.
     */
    public static ClContext openOwned(ClDevice device) {
        return open(device, false);
    }

    private static ClContext open(ClDevice device, boolean watched) {
        device.capabilities().obstacle().ifPresent(reason -> {
            throw new ClException("clCreateContext", status(device), device + " can't be used: " + reason);
        });
        String name = "context on " + device;
        cl_context raw = Cl.createContext(device.platformId(), device.deviceId(), name);
        return new ClContext(device, raw, Handle.openRoot(name, () -> Cl.releaseContext(raw), watched));
    }

    /** Returns what OpenCL would say of a device with an obstacle; not every driver does, or not before a launch. */
    private static int status(ClDevice device) {
        Capabilities has = device.capabilities();
        return !has.available()
                ? CL.CL_DEVICE_NOT_AVAILABLE
                : has.compilerAvailable() ? CL.CL_INVALID_DEVICE : CL.CL_COMPILER_NOT_AVAILABLE;
    }

    /** Returns the device that everything in this context runs on. */
    public ClDevice device() {
        return device;
    }

    /** Returns an in-order queue without profiling. */
    public ClQueue queue() {
        return ClQueue.open(this, false);
    }

    /** Returns an in-order queue whose events carry times; launching through it can cost more. */
    public ClQueue profilingQueue() {
        return ClQueue.open(this, true);
    }

    /**
     * A buffer in device memory. Its contents are undefined until written or filled.
     *
     * @param name for messages
     * @param bytes at least 1, at most the device's largest allocation
     * @throws InvalidInputException when {@code bytes} is less than 1
     * @throws ClException when it is more than the device allocates at once, or the device has no more memory
     */
    public ClBuffer buffer(String name, long bytes, ClBuffer.Access access) {
        return ClBuffer.open(this, name, bytes, access, false);
    }

    /**
     * A buffer in memory that the host reaches too, for {@linkplain ClQueue#map mapping}: on a GPU, pinned host memory;
     * on a CPU, the same memory, so that mapping copies nothing. Errors as for {@link #buffer}.
     */
    public ClBuffer hostBuffer(String name, long bytes, ClBuffer.Access access) {
        return ClBuffer.open(this, name, bytes, access, true);
    }

    /**
     * Compiles a program from source, without any cache; see {@link ProgramCache#program} for the one with.
     *
     * @param name for messages
     * @param sources compiled as one text, in order
     * @param options the compiler's options, such as {@code "-D VEC=16"}
     * @throws ClBuildException when it does not compile; carries the compiler's log
     */
    public ClProgram program(String name, List<String> sources, String options) {
        checkOpen();
        String what = "program '" + name + "'";
        cl_program program = Cl.createProgram(raw, sources.toArray(String[]::new), what);
        return ClProgram.build(this, name, program, options);
    }

    cl_context raw() {
        checkOpen();
        return raw;
    }
}

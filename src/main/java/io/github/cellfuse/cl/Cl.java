package io.github.cellfuse.cl;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntSupplier;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.NativePointerObject;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_platform_id;
import org.jocl.cl_program;

/**
 * The only caller of {@link CL}, with one method for each OpenCL function. A status other than success becomes a
 * {@link ClException} that names the call and its purpose. {@code what} is converted to text only on failure.
 */
final class Cl {
    /** No answer to a query is longer: a larger size is a driver's error, and nothing is allocated for it. */
    private static final long MAX_ANSWER_BYTES = 1L << 30;

    /** JOCL 2.0.6 keeps a {@code std::map} of contexts that its native code changes without a lock. */
    private static final Object CONTEXTS = new Object();

    private Cl() {}

    // ---- platforms and devices
    // -------------------------------------------------------------------------------------------

    /**
     * Returns every platform that the loader finds. The list is empty if there is none, however the loader reports
     * that.
     */
    static List<cl_platform_id> platforms() {
        int[] count = new int[1];
        int status = statusOf(() -> CL.clGetPlatformIDs(0, null, count));
        if (status == CL.CL_PLATFORM_NOT_FOUND_KHR || status == CL.CL_SUCCESS && count[0] == 0) {
            return List.of();
        }
        check(status, "clGetPlatformIDs", "the list of platforms");
        cl_platform_id[] ids = new cl_platform_id[count[0]];
        check(statusOf(() -> CL.clGetPlatformIDs(ids.length, ids, null)), "clGetPlatformIDs", "the list of platforms");
        return List.of(ids);
    }

    static String platformString(cl_platform_id platform, int name, String what) {
        return string(
                "clGetPlatformInfo",
                what,
                (size, at, needed) -> CL.clGetPlatformInfo(platform, name, size, at, needed));
    }

    /** Returns the devices of one type. The list is empty if the platform has none or doesn't know the type. */
    static List<cl_device_id> devices(cl_platform_id platform, long type) {
        int[] count = new int[1];
        int status = statusOf(() -> CL.clGetDeviceIDs(platform, type, 0, null, count));
        if (status == CL.CL_DEVICE_NOT_FOUND
                || status == CL.CL_INVALID_DEVICE_TYPE
                || status == CL.CL_SUCCESS && count[0] == 0) {
            return List.of();
        }
        String what = "devices of type " + CL.stringFor_cl_device_type(type);
        check(status, "clGetDeviceIDs", what);
        cl_device_id[] ids = new cl_device_id[count[0]];
        check(statusOf(() -> CL.clGetDeviceIDs(platform, type, ids.length, ids, null)), "clGetDeviceIDs", what);
        return List.of(ids);
    }

    static String deviceString(cl_device_id device, int name, String what) {
        return string(
                "clGetDeviceInfo", what, (size, at, needed) -> CL.clGetDeviceInfo(device, name, size, at, needed));
    }

    static long deviceLong(cl_device_id device, int name, String what) {
        return longs(
                "clGetDeviceInfo", what, 1, (size, at, needed) -> CL.clGetDeviceInfo(device, name, size, at, needed))[
                0];
    }

    /** {@code count} values of type {@code size_t}. */
    static long[] deviceSizes(cl_device_id device, int name, int count, String what) {
        return longs(
                "clGetDeviceInfo",
                what,
                count,
                (size, at, needed) -> CL.clGetDeviceInfo(device, name, size, at, needed));
    }

    // ---- contexts and queues
    // ---------------------------------------------------------------------------------------------

    static cl_context createContext(cl_platform_id platform, cl_device_id device, Object what) {
        cl_context_properties properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, platform);
        synchronized (CONTEXTS) {
            return created(
                    "clCreateContext",
                    what,
                    error -> CL.clCreateContext(properties, 1, new cl_device_id[] {device}, null, null, error));
        }
    }

    static void releaseContext(cl_context context) {
        synchronized (CONTEXTS) {
            check(statusOf(() -> CL.clReleaseContext(context)), "clReleaseContext", "release");
        }
    }

    /** Returns an in-order queue, made by the function of OpenCL 1.2, which all later versions still have. */
    @SuppressWarnings("deprecation")
    static cl_command_queue createQueue(cl_context context, cl_device_id device, boolean profiling, Object what) {
        long properties = profiling ? CL.CL_QUEUE_PROFILING_ENABLE : 0;
        return created(
                "clCreateCommandQueue", what, error -> CL.clCreateCommandQueue(context, device, properties, error));
    }

    static void releaseQueue(cl_command_queue queue) {
        check(statusOf(() -> CL.clReleaseCommandQueue(queue)), "clReleaseCommandQueue", "release");
    }

    static void flush(cl_command_queue queue, Object what) {
        check(statusOf(() -> CL.clFlush(queue)), "clFlush", what);
    }

    static void finish(cl_command_queue queue, Object what) {
        check(statusOf(() -> CL.clFinish(queue)), "clFinish", what);
    }

    // ---- memory
    // ----------------------------------------------------------------------------------------------------------

    static cl_mem createBuffer(cl_context context, long flags, long bytes, Object what) {
        return created("clCreateBuffer", what, error -> CL.clCreateBuffer(context, flags, bytes, null, error));
    }

    static void releaseBuffer(cl_mem buffer) {
        check(statusOf(() -> CL.clReleaseMemObject(buffer)), "clReleaseMemObject", "release");
    }

    /**
     * Writes {@code bytes} of {@code source} from its position. Blocks if {@code event} is null; otherwise returns at
     * once, and {@code source} must stay as it is until the event is complete.
     */
    static void write(
            cl_command_queue queue,
            cl_mem buffer,
            long offset,
            long bytes,
            Buffer source,
            cl_event event,
            Object what) {
        // A slice starts at the position and leaves the caller's buffer alone.
        Pointer from = Pointer.to(source.slice());
        boolean blocks = event == null;
        check(
                statusOf(() -> CL.clEnqueueWriteBuffer(queue, buffer, blocks, offset, bytes, from, 0, null, event)),
                "clEnqueueWriteBuffer",
                what);
    }

    /**
     * Reads {@code bytes} to {@code target} at its position. Blocks if {@code event} is null; otherwise returns at
     * once, and {@code target} has the bytes when the event is complete.
     */
    static void read(
            cl_command_queue queue,
            cl_mem buffer,
            long offset,
            long bytes,
            Buffer target,
            cl_event event,
            Object what) {
        Pointer to = Pointer.to(target.slice());
        boolean blocks = event == null;
        check(
                statusOf(() -> CL.clEnqueueReadBuffer(queue, buffer, blocks, offset, bytes, to, 0, null, event)),
                "clEnqueueReadBuffer",
                what);
    }

    static void copy(cl_command_queue queue, cl_mem from, cl_mem to, long fromAt, long toAt, long bytes, Object what) {
        check(
                statusOf(() -> CL.clEnqueueCopyBuffer(queue, from, to, fromAt, toAt, bytes, 0, null, null)),
                "clEnqueueCopyBuffer",
                what);
    }

    /** Fills with a pattern that OpenCL copies before the call returns. */
    static void fill(
            cl_command_queue queue,
            cl_mem buffer,
            ByteBuffer pattern,
            int patternBytes,
            long offset,
            long bytes,
            Object what) {
        Pointer from = Pointer.to(pattern);
        check(
                statusOf(() -> CL.clEnqueueFillBuffer(queue, buffer, from, patternBytes, offset, bytes, 0, null, null)),
                "clEnqueueFillBuffer",
                what);
    }

    /** Blocking map. */
    static ByteBuffer map(cl_command_queue queue, cl_mem buffer, long flags, long offset, long bytes, Object what) {
        return created(
                        "clEnqueueMapBuffer",
                        what,
                        error -> CL.clEnqueueMapBuffer(queue, buffer, true, flags, offset, bytes, 0, null, null, error))
                .order(ByteOrder.nativeOrder());
    }

    static void unmap(cl_command_queue queue, cl_mem buffer, ByteBuffer mapped, Object what) {
        check(
                statusOf(() -> CL.clEnqueueUnmapMemObject(queue, buffer, mapped, 0, null, null)),
                "clEnqueueUnmapMemObject",
                what);
    }

    // ---- programs and kernels
    // --------------------------------------------------------------------------------------------

    static cl_program createProgram(cl_context context, String[] sources, Object what) {
        return created(
                "clCreateProgramWithSource",
                what,
                error -> CL.clCreateProgramWithSource(context, sources.length, sources, null, error));
    }

    static cl_program createProgram(cl_context context, cl_device_id device, byte[] binary, Object what) {
        int[] accepted = new int[1];
        cl_program program = created(
                "clCreateProgramWithBinary",
                what,
                error -> CL.clCreateProgramWithBinary(
                        context,
                        1,
                        new cl_device_id[] {device},
                        new long[] {binary.length},
                        new byte[][] {binary},
                        accepted,
                        error));
        if (accepted[0] != CL.CL_SUCCESS) {
            ClException e = new ClException("clCreateProgramWithBinary", accepted[0], String.valueOf(what));
            Cleanup.after(e, () -> releaseProgram(program));
            throw e;
        }
        return program;
    }

    /** Returns the status. The caller reads the log of a failed build. */
    static int build(cl_program program, cl_device_id device, String options) {
        return statusOf(() -> CL.clBuildProgram(program, 1, new cl_device_id[] {device}, options, null, null));
    }

    static String buildLog(cl_program program, cl_device_id device, String what) {
        return string(
                "clGetProgramBuildInfo",
                what,
                (size, at, needed) ->
                        CL.clGetProgramBuildInfo(program, device, CL.CL_PROGRAM_BUILD_LOG, size, at, needed));
    }

    /** Returns the compiled program for the context's only device, or nothing if the driver doesn't expose it. */
    static byte[] binary(cl_program program, String what) {
        long size = longs(
                "clGetProgramInfo",
                what,
                1,
                (bytes, at, needed) -> CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARY_SIZES, bytes, at, needed))[0];
        if (size <= 0 || size > MAX_ANSWER_BYTES) {
            return new byte[0];
        }
        ByteBuffer binary = ByteBuffer.allocateDirect((int) size);
        Pointer list = Pointer.to(Pointer.to(binary));
        check(
                statusOf(() -> CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARIES, Sizeof.POINTER, list, null)),
                "clGetProgramInfo",
                what);
        byte[] bytes = new byte[(int) size];
        binary.get(bytes);
        return bytes;
    }

    static void releaseProgram(cl_program program) {
        check(statusOf(() -> CL.clReleaseProgram(program)), "clReleaseProgram", "release");
    }

    static cl_kernel createKernel(cl_program program, String name, Object what) {
        return created("clCreateKernel", what, error -> CL.clCreateKernel(program, name, error));
    }

    static void releaseKernel(cl_kernel kernel) {
        check(statusOf(() -> CL.clReleaseKernel(kernel)), "clReleaseKernel", "release");
    }

    /** Binds an argument; a null {@code value} with a size asks for that much local memory. */
    static void setArgument(cl_kernel kernel, int index, long bytes, Pointer value, Object what) {
        int status = statusOf(() -> CL.clSetKernelArg(kernel, index, bytes, value));
        if (status != CL.CL_SUCCESS) {
            throw new ClException("clSetKernelArg", status, "argument " + index + " (" + bytes + " bytes) of " + what);
        }
    }

    static long kernelLong(cl_kernel kernel, cl_device_id device, int name, String what) {
        return longs(
                "clGetKernelWorkGroupInfo",
                what,
                1,
                (size, at, needed) -> CL.clGetKernelWorkGroupInfo(kernel, device, name, size, at, needed))[0];
    }

    static int kernelArguments(cl_kernel kernel, String what) {
        return (int) longs(
                "clGetKernelInfo",
                what,
                1,
                (size, at, needed) -> CL.clGetKernelInfo(kernel, CL.CL_KERNEL_NUM_ARGS, size, at, needed))[0];
    }

    /** The only call in the time loop. It must not allocate anything in Java, so it uses no lambda. */
    static void launch(cl_command_queue queue, cl_kernel kernel, NdRange range, cl_event event, Object what) {
        int status;
        try {
            status = CL.clEnqueueNDRangeKernel(
                    queue,
                    kernel,
                    range.dimensions(),
                    range.offsets(),
                    range.globals(),
                    range.locals(),
                    0,
                    null,
                    event);
        } catch (CLException thrown) {
            status = thrown.getStatus();
        }
        if (status != CL.CL_SUCCESS) {
            throw new ClException("clEnqueueNDRangeKernel", status, what + " over " + range);
        }
    }

    // ---- events
    // ----------------------------------------------------------------------------------------------------------

    static void marker(cl_command_queue queue, cl_event event, Object what) {
        check(
                statusOf(() -> CL.clEnqueueMarkerWithWaitList(queue, 0, null, event)),
                "clEnqueueMarkerWithWaitList",
                what);
    }

    static void barrier(cl_command_queue queue, cl_event event, Object what) {
        check(
                statusOf(() -> CL.clEnqueueBarrierWithWaitList(queue, 1, new cl_event[] {event}, null)),
                "clEnqueueBarrierWithWaitList",
                what);
    }

    static void await(cl_event event, Object what) {
        check(statusOf(() -> CL.clWaitForEvents(1, new cl_event[] {event})), "clWaitForEvents", what);
    }

    /**
     * Returns the status of a command: {@code CL_COMPLETE}, one that is larger before, or a negative one of an error.
     */
    static int eventStatus(cl_event event, Object what) {
        return (int) longs(
                "clGetEventInfo",
                what.toString(),
                1,
                (size, at, needed) -> CL.clGetEventInfo(event, CL.CL_EVENT_COMMAND_EXECUTION_STATUS, size, at, needed))[
                0];
    }

    static long eventTime(cl_event event, int name, String what) {
        return longs(
                "clGetEventProfilingInfo",
                what,
                1,
                (size, at, needed) -> CL.clGetEventProfilingInfo(event, name, size, at, needed))[0];
    }

    static void releaseEvent(cl_event event) {
        check(statusOf(() -> CL.clReleaseEvent(event)), "clReleaseEvent", "release");
    }

    // ---- status checks
    // ------------------------------------------------------------------------------------------------

    private static void check(int status, String call, Object what) {
        if (status != CL.CL_SUCCESS) {
            throw new ClException(call, status, String.valueOf(what));
        }
    }

    /** Returns the status of {@code call}, even if the host program has switched JOCL's exceptions on. */
    private static int statusOf(IntSupplier call) {
        try {
            return call.getAsInt();
        } catch (CLException thrown) {
            return thrown.getStatus();
        }
    }

    private interface Creation<T> {
        T create(int[] error);
    }

    private static <T> T created(String call, Object what, Creation<T> creation) {
        int[] error = new int[1];
        T result;
        try {
            result = creation.create(error);
        } catch (CLException thrown) {
            throw new ClException(call, thrown.getStatus(), String.valueOf(what));
        }
        check(error[0], call, what);
        if (result == null || result instanceof NativePointerObject object && object.getNativePointer() == 0) {
            // Success without an object is a driver's error; the next call on it would crash the process.
            throw new ClException(
                    call, CL.CL_INVALID_VALUE, what + " (success was reported, but nothing was returned)");
        }
        return result;
    }

    private interface Query {
        int ask(long size, Pointer at, long[] needed);
    }

    private static String string(String call, String what, Query query) {
        long[] needed = new long[1];
        check(statusOf(() -> query.ask(0, null, needed)), call, what);
        if (needed[0] <= 1 || needed[0] > MAX_ANSWER_BYTES) {
            return "";
        }
        // A direct buffer, because the JVM may give native code a copy of an array, which JOCL doesn't copy back:
        // -Xcheck:jni always does.
        ByteBuffer answer = ByteBuffer.allocateDirect((int) needed[0]);
        check(statusOf(() -> query.ask(answer.capacity(), Pointer.to(answer), null)), call, what);
        byte[] text = new byte[answer.capacity()];
        answer.get(text);
        int end = 0;
        while (end < text.length && text[end] != 0) {
            end++;
        }
        return new String(text, 0, end, StandardCharsets.UTF_8).strip();
    }

    /** Returns {@code count} integers; the driver answers with 4 or 8 bytes each. */
    private static long[] longs(String call, String what, int count, Query query) {
        ByteBuffer answer = ByteBuffer.allocateDirect(count * Long.BYTES).order(ByteOrder.nativeOrder());
        long[] written = new long[1];
        check(statusOf(() -> query.ask(answer.capacity(), Pointer.to(answer), written)), call, what);
        boolean wide = written[0] >= (long) count * Long.BYTES;
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] =
                    wide ? answer.getLong(i * Long.BYTES) : Integer.toUnsignedLong(answer.getInt(i * Integer.BYTES));
        }
        return values;
    }

    /** Returns the words of a text such as a list of extensions. */
    static List<String> words(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
    }

    /** Returns the elements of {@code lists} in order, each once. */
    static List<cl_device_id> distinct(List<List<cl_device_id>> lists) {
        List<cl_device_id> all = new ArrayList<>();
        for (List<cl_device_id> list : lists) {
            for (cl_device_id id : list) {
                if (!all.contains(id)) {
                    all.add(id);
                }
            }
        }
        return Collections.unmodifiableList(all);
    }
}

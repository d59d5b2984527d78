package io.github.cellfuse.cl;

import org.jocl.CL;

/** OpenCL's status codes: their names, and advice for those that a user can do something about. */
final class Status {
    /** How to get an OpenCL device on a machine without one; shared by every message about a missing runtime. */
    static final String INSTALL =
            "install an OpenCL runtime: the driver of your GPU, or PoCL for the CPU (Debian, Ubuntu: "
                    + "apt install pocl-opencl-icd; Fedora: dnf install pocl; macOS: brew install pocl)";

    private static final String SMALLER_BATCH = "the device is out of memory or registers: try a smaller batch";

    /** What a kernel may have run into on a GPU. */
    static final String TIME_LIMIT = "the driver of a GPU that also drives a display ends kernels that take longer than"
            + " its time limit, often 2 to 10 seconds: a smaller batch (--batch) stays below it";

    /** NVIDIA's driver answers with it, under no name, after it has ended a kernel. */
    private static final int NVIDIA_ENDED = -9999;

    private Status() {}

    /** Returns the name of {@code status}, or a text with the number if JOCL doesn't know it. */
    static String name(int status) {
        try {
            return CL.stringFor_errorCode(status);
        } catch (LinkageError noNativeLibrary) {
            return "OpenCL status " + status; // the names live in a class that needs the native library
        }
    }

    /** Returns whether smaller buffers may succeed. */
    static boolean isOutOfMemory(int status) {
        return switch (status) {
            case CL.CL_OUT_OF_RESOURCES,
                    CL.CL_OUT_OF_HOST_MEMORY,
                    CL.CL_MEM_OBJECT_ALLOCATION_FAILURE,
                    CL.CL_INVALID_BUFFER_SIZE -> true;
            default -> false;
        };
    }

    /** Returns whether a program that was built can't be used after all: a binary of another driver, say. */
    static boolean isUnusableProgram(int status) {
        return switch (status) {
            case CL.CL_INVALID_PROGRAM,
                    CL.CL_INVALID_PROGRAM_EXECUTABLE,
                    CL.CL_INVALID_KERNEL_NAME,
                    CL.CL_INVALID_KERNEL_DEFINITION,
                    CL.CL_INVALID_KERNEL -> true;
            default -> false;
        };
    }

    /** Returns whether {@code status} after a launch may mean that the driver has ended a kernel that took too long. */
    static boolean mayBeTimeLimit(int status) {
        return switch (status) {
            case CL.CL_OUT_OF_RESOURCES,
                    CL.CL_INVALID_COMMAND_QUEUE,
                    CL.CL_DEVICE_NOT_AVAILABLE,
                    CL.CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,
                    NVIDIA_ENDED -> true;
            default -> false;
        };
    }

    /** Returns advice about {@code status}, or an empty string. */
    static String advice(int status) {
        return switch (status) {
            case CL.CL_OUT_OF_RESOURCES, CL.CL_MEM_OBJECT_ALLOCATION_FAILURE, CL.CL_INVALID_BUFFER_SIZE ->
                SMALLER_BATCH;
            case CL.CL_OUT_OF_HOST_MEMORY -> "the host is out of memory: try a smaller batch";
            case CL.CL_PLATFORM_NOT_FOUND_KHR, CL.CL_DEVICE_NOT_FOUND -> INSTALL;
            case CL.CL_DEVICE_NOT_AVAILABLE ->
                "another process may hold the device, or its driver has stopped: see the system's log";
            case CL.CL_COMPILER_NOT_AVAILABLE -> "this device takes no source code; choose another device";
            case CL.CL_INVALID_WORK_GROUP_SIZE, CL.CL_INVALID_WORK_ITEM_SIZE ->
                "the work-group does not fit the device, the kernel or the global size";
            case CL.CL_INVALID_KERNEL_NAME ->
                "no kernel of that name: kernels must not be named like OpenCL's built-in functions";
            case CL.CL_INVALID_KERNEL_ARGS -> "not every argument of the kernel has been set";
            case CL.CL_PROFILING_INFO_NOT_AVAILABLE ->
                "the queue was opened without profiling, or the command is not complete";
            case CL.CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST -> "an earlier command on the device failed";
            default -> "";
        };
    }
}

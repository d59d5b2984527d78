package io.github.cellfuse.cl;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jocl.CL;
import org.jocl.cl_device_id;

/**
 * The properties that a device reports. Sizes are in bytes, the clock is in MHz, the timer's resolution in nanoseconds.
 * A value that the driver doesn't report is 0 or empty, or what every driver has at least. Immutable.
 *
 * @param version such as {@code "OpenCL 3.0 PoCL …"}
 * @param cVersion such as {@code "OpenCL C 1.2 …"}
 * @param computeUnits cores of a CPU, multiprocessors of a GPU
 * @param maxWorkItemSizes the largest work-group in each dimension
 * @param preferredFloatWidth the vector width that the driver advises for {@code float}
 * @param nativeFloatWidth the vector width of the hardware's registers for {@code float}
 * @param deviceClock whether kernels can read a clock that all of the device shares ({@code cl_khr_kernel_clock})
 * @param addressAlignBits the alignment of buffers, in bits as OpenCL has it
 * @param hostUnifiedMemory whether host and device share one memory, so that mapping need not copy
 * @param available whether the driver can use the device at present
 * @param compilerAvailable whether the device takes source code
 */
public record Capabilities(
        Type type,
        String name,
        String vendor,
        String version,
        String cVersion,
        String driverVersion,
        int computeUnits,
        int maxClockMhz,
        long globalMemoryBytes,
        long globalCacheBytes,
        int globalCacheLineBytes,
        long maxAllocationBytes,
        LocalMemory localMemory,
        long localMemoryBytes,
        long maxWorkGroupSize,
        List<Long> maxWorkItemSizes,
        int preferredFloatWidth,
        int nativeFloatWidth,
        FloatConfig singlePrecision,
        AtomicConfig atomics,
        boolean deviceClock,
        int addressAlignBits,
        boolean hostUnifiedMemory,
        long timerResolutionNanos,
        boolean littleEndian,
        boolean available,
        boolean compilerAvailable,
        List<String> extensions,
        VendorFacts vendorFacts) {
    // From the specification of the extension: the headers of Khronos name them CL_DEVICE_KERNEL_CLOCK_…_KHR.
    private static final String KERNEL_CLOCK = "cl_khr_kernel_clock";
    private static final int CLOCK_CAPABILITIES = 0x1076, CLOCK_SCOPE_DEVICE = 1;

    /** The least that the specification requires of the largest buffer of a full profile. */
    private static final long LEAST_BUFFER = 128L << 20;

    private static final Pattern VERSION = Pattern.compile("OpenCL (\\d+)\\.(\\d+).*", Pattern.DOTALL);

    /** The kind of a device. */
    public enum Type {
        GPU(CL.CL_DEVICE_TYPE_GPU),
        ACCELERATOR(CL.CL_DEVICE_TYPE_ACCELERATOR),
        CPU(CL.CL_DEVICE_TYPE_CPU),
        CUSTOM(CL.CL_DEVICE_TYPE_CUSTOM);

        private final long flag;

        Type(long flag) {
            this.flag = flag;
        }

        long flag() {
            return flag;
        }

        static Type of(long flags) {
            for (Type type : values()) {
                if ((flags & type.flag) != 0) {
                    return type;
                }
            }
            return CUSTOM;
        }
    }

    /** The place of local memory: on the chip, in ordinary memory (staging data there only costs time), or none. */
    public enum LocalMemory {
        DEDICATED,
        GLOBAL,
        NONE
    }

    /**
     * What the extensions of vendors say of a compute unit; zeros where they say nothing.
     *
     * @param computeCapability NVIDIA's, such as 90 for 9.0
     * @param wave work-items that run in lockstep: a warp or a wavefront
     */
    public record VendorFacts(int computeCapability, int wave) {
        /** Nothing is known. */
        public static final VendorFacts NONE = new VendorFacts(0, 0);

        private static final String NVIDIA = "cl_nv_device_attribute_query", AMD = "cl_amd_device_attribute_query";

        // From the extensions' specifications: the headers of Khronos name them CL_DEVICE_…_NV and CL_DEVICE_…_AMD.
        private static final int CAPABILITY_MAJOR = 0x4000, CAPABILITY_MINOR = 0x4001, WARP_SIZE = 0x4003;
        private static final int WAVEFRONT_WIDTH = 0x4043;

        static VendorFacts of(Asking ask, List<String> extensions) {
            if (extensions.contains(NVIDIA)) {
                long major = ask.optional(CAPABILITY_MAJOR, "compute capability");
                long minor = ask.optional(CAPABILITY_MINOR, "compute capability");
                return new VendorFacts((int) (10 * major + minor), (int) ask.optional(WARP_SIZE, "warp size"));
            }
            if (extensions.contains(AMD)) {
                return new VendorFacts(0, (int) ask.optional(WAVEFRONT_WIDTH, "wavefront width"));
            }
            return NONE;
        }
    }

    /**
     * The abilities of {@code float}, from {@code CL_DEVICE_SINGLE_FP_CONFIG}.
     *
     * @param fma whether {@code fma} is fused in hardware; without, it is emulated or not exact
     */
    public record FloatConfig(
            boolean denorm,
            boolean infNan,
            boolean roundToNearest,
            boolean roundToZero,
            boolean roundToInf,
            boolean fma,
            boolean softFloat,
            boolean correctlyRoundedDivideSqrt) {
        static FloatConfig of(long bits) {
            return new FloatConfig(
                    (bits & CL.CL_FP_DENORM) != 0,
                    (bits & CL.CL_FP_INF_NAN) != 0,
                    (bits & CL.CL_FP_ROUND_TO_NEAREST) != 0,
                    (bits & CL.CL_FP_ROUND_TO_ZERO) != 0,
                    (bits & CL.CL_FP_ROUND_TO_INF) != 0,
                    (bits & CL.CL_FP_FMA) != 0,
                    (bits & CL.CL_FP_SOFT_FLOAT) != 0,
                    (bits & CL.CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0);
        }
    }

    /**
     * The abilities of atomic operations, from {@code CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES}. OpenCL 2.0 to 2.2 require
     * both, earlier versions have neither.
     *
     * @param acquireRelease whether they order other accesses to memory
     * @param deviceScope whether they do so for all work-groups of the device, and not only within one
     */
    public record AtomicConfig(boolean acquireRelease, boolean deviceScope) {
        /** Atomic operations that order nothing. */
        public static final AtomicConfig NONE = new AtomicConfig(false, false);

        private static final int CAPABILITIES = 0x1063, ORDER_ACQ_REL = 1 << 1, SCOPE_DEVICE = 1 << 5;

        static AtomicConfig of(long bits) {
            return new AtomicConfig((bits & ORDER_ACQ_REL) != 0, (bits & SCOPE_DEVICE) != 0);
        }

        static AtomicConfig of(Asking ask, String version) {
            return atLeast(version, 3, 0)
                    ? of(ask.optional(CAPABILITIES, "abilities of atomic operations"))
                    : of(atLeast(version, 2, 0) ? ORDER_ACQ_REL | SCOPE_DEVICE : 0);
        }
    }

    public Capabilities {
        maxWorkItemSizes = List.copyOf(maxWorkItemSizes);
        extensions = List.copyOf(extensions);
    }

    /** Returns whether the device offers OpenCL {@code major.minor} or later. */
    public boolean atLeast(int major, int minor) {
        return atLeast(version, major, minor);
    }

    private static boolean atLeast(String version, int major, int minor) {
        Matcher matcher = VERSION.matcher(version);
        if (!matcher.matches()) {
            return false;
        }
        int itsMajor = Integer.parseInt(matcher.group(1));
        return itsMajor > major || itsMajor == major && Integer.parseInt(matcher.group(2)) >= minor;
    }

    /**
     * Returns why no program may use the device, whatever it does: a sentence that doesn't name the device. Empty if it
     * can be used.
     */
    public Optional<String> obstacle() {
        if (!available) {
            return Optional.of("its driver says that it isn't available at present (CL_DEVICE_AVAILABLE)");
        }
        if (!compilerAvailable) {
            return Optional.of("its driver has no compiler (CL_DEVICE_COMPILER_AVAILABLE), so it takes no kernels");
        }
        return atLeast(1, 2) ? Optional.empty() : Optional.of("it offers " + version + "; OpenCL 1.2 is needed");
    }

    /** Asks {@code device} for everything. Only the type and the version have no default. */
    @SuppressWarnings("deprecation") // CL_DEVICE_HOST_UNIFIED_MEMORY: nothing later says the same
    static Capabilities of(cl_device_id device) {
        Asking ask = new Asking(device);
        String name = ask.optionalText(CL.CL_DEVICE_NAME, "name");
        String version = ask.text(CL.CL_DEVICE_VERSION, "version");
        List<String> extensions = Cl.words(ask.optionalText(CL.CL_DEVICE_EXTENSIONS, "extensions"));
        boolean hostIsLittleEndian = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        long memory = ask.optional(CL.CL_DEVICE_GLOBAL_MEM_SIZE, "global memory size");
        return new Capabilities(
                Type.of(ask.number(CL.CL_DEVICE_TYPE, "type")),
                name.isEmpty() ? "a device without a name" : name,
                ask.optionalText(CL.CL_DEVICE_VENDOR, "vendor"),
                version,
                ask.optionalText(CL.CL_DEVICE_OPENCL_C_VERSION, "OpenCL C version"),
                ask.optionalText(CL.CL_DRIVER_VERSION, "driver version"),
                // Some drivers say 0 for a device that computes all the same.
                (int) Math.max(1, ask.optional(CL.CL_DEVICE_MAX_COMPUTE_UNITS, "compute units")),
                (int) ask.optional(CL.CL_DEVICE_MAX_CLOCK_FREQUENCY, "clock"),
                memory,
                ask.optional(CL.CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, "cache size"),
                (int) ask.optional(CL.CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, "cache line size"),
                ask.optional(CL.CL_DEVICE_MAX_MEM_ALLOC_SIZE, "largest allocation", Math.max(memory / 4, LEAST_BUFFER)),
                switch ((int) ask.optional(CL.CL_DEVICE_LOCAL_MEM_TYPE, "local memory type")) {
                    case CL.CL_LOCAL -> LocalMemory.DEDICATED;
                    case CL.CL_GLOBAL -> LocalMemory.GLOBAL;
                    default -> LocalMemory.NONE;
                },
                ask.optional(CL.CL_DEVICE_LOCAL_MEM_SIZE, "local memory size"),
                Math.max(1, ask.optional(CL.CL_DEVICE_MAX_WORK_GROUP_SIZE, "work-group size")),
                ask.workItemSizes(),
                (int) ask.optional(CL.CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, "preferred float width"),
                (int) ask.optional(CL.CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, "native float width"),
                FloatConfig.of(ask.optional(CL.CL_DEVICE_SINGLE_FP_CONFIG, "float abilities")),
                AtomicConfig.of(ask, version),
                extensions.contains(KERNEL_CLOCK)
                        && (ask.optional(CLOCK_CAPABILITIES, "clocks of kernels") & CLOCK_SCOPE_DEVICE) != 0,
                (int) ask.optional(CL.CL_DEVICE_MEM_BASE_ADDR_ALIGN, "address alignment"),
                ask.optional(CL.CL_DEVICE_HOST_UNIFIED_MEMORY, "unified memory") != 0,
                ask.optional(CL.CL_DEVICE_PROFILING_TIMER_RESOLUTION, "timer resolution"),
                ask.optional(CL.CL_DEVICE_ENDIAN_LITTLE, "byte order", hostIsLittleEndian ? 1 : 0) != 0,
                ask.optional(CL.CL_DEVICE_AVAILABLE, "availability", 1) != 0,
                ask.optional(CL.CL_DEVICE_COMPILER_AVAILABLE, "compiler availability", 1) != 0,
                extensions,
                VendorFacts.of(ask, extensions));
    }

    private record Asking(cl_device_id device) {
        String text(int name, String what) {
            return Cl.deviceString(device, name, what);
        }

        long number(int name, String what) {
            return Cl.deviceLong(device, name, what);
        }

        /**
         * Some drivers don't answer queries that later versions of OpenCL deprecate or make optional; that loses only
         * this detail.
         */
        long optional(int name, String what) {
            return optional(name, what, 0);
        }

        /** Returns {@code otherwise} if the driver doesn't answer. */
        long optional(int name, String what, long otherwise) {
            try {
                return number(name, what);
            } catch (ClException notTold) {
                return otherwise;
            }
        }

        /** Returns an empty text if the driver doesn't answer. */
        String optionalText(int name, String what) {
            try {
                return text(name, what);
            } catch (ClException notTold) {
                return "";
            }
        }

        /** Returns the largest work-group in each dimension; of a driver that doesn't answer, single work-items. */
        List<Long> workItemSizes() {
            try {
                int dimensions = (int) number(CL.CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, "work-item dimensions");
                long[] sizes = Cl.deviceSizes(
                        device,
                        CL.CL_DEVICE_MAX_WORK_ITEM_SIZES,
                        Math.max(1, Math.min(dimensions, 16)),
                        "work-item sizes");
                return Arrays.stream(sizes).boxed().toList();
            } catch (ClException notTold) {
                return List.of(1L, 1L, 1L);
            }
        }
    }
}

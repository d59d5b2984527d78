package io.github.cellfuse.bench.audit;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.opencl.program.KernelSource;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A GPU that kernels are compiled for. A wave (NVIDIA: warp) runs on a SIMD (NVIDIA: one of the four partitions of a
 * multiprocessor), whose registers all of its waves share. Immutable.
 *
 * @param name as the compiler knows it
 * @param vendor decides which compiler is used
 * @param products examples of GPUs that have it
 * @param registers vector registers of a lane that a SIMD has for all of its waves
 * @param registerGranule a wave gets registers in multiples of this number
 * @param waveSlots waves of a SIMD, at most
 */
record Target(String name, Vendor vendor, String products, int registers, int registerGranule, int waveSlots) {
    /** The maker of a GPU; it determines the syntax of a listing. */
    enum Vendor {
        AMD(64 * KIB),
        NVIDIA(48 * KIB);

        /** Local memory that its OpenCL gives a work-group. */
        private final int groupLocalBytes;

        Vendor(int groupLocalBytes) {
            this.groupLocalBytes = groupLocalBytes;
        }
    }

    private static final int KIB = 1024;

    /**
     * All targets. The numbers for AMD are those of LLVM's AMDGPU backend (AMDGPUBaseInfo), with waves of 32 on RDNA;
     * the numbers for NVIDIA are from the table "Technical Specifications per Compute Capability" of the "CUDA C++
     * Programming Guide": 64 KiB of registers for each partition.
     */
    static final List<Target> ALL = List.of(
            new Target("gfx906", Vendor.AMD, "Radeon VII, MI50", 256, 4, 10),
            new Target("gfx90a", Vendor.AMD, "MI210, MI250X", 512, 8, 8),
            new Target("gfx942", Vendor.AMD, "MI300X", 512, 8, 8),
            new Target("gfx1030", Vendor.AMD, "Radeon RX 6900 XT", 1024, 16, 16),
            new Target("gfx1100", Vendor.AMD, "Radeon RX 7900 XTX", 1536, 24, 16),
            new Target("sm_75", Vendor.NVIDIA, "T4, RTX 2080", 512, 8, 8),
            new Target("sm_80", Vendor.NVIDIA, "A100", 512, 8, 16),
            new Target("sm_90", Vendor.NVIDIA, "H100", 512, 8, 16));

    /** Returns the sizes of local memory that a work-group has on some target, the largest first. */
    static List<Integer> localLimits() {
        return ALL.stream()
                .map(target -> target.vendor.groupLocalBytes)
                .distinct()
                .sorted(Comparator.reverseOrder())
                .toList();
    }

    /** Returns the target that the compiler knows as {@code name}. */
    static Target named(String name) {
        return ALL.stream()
                .filter(target -> target.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("target: expected one of "
                        + ALL.stream().map(Target::name).collect(Collectors.joining(", ")) + ", found " + name));
    }

    /**
     * Returns whether the engine may choose {@code variant} on this GPU: whether a work-group has as much local memory
     * as it needs, and whether the kernel isn't for another vendor's GPUs.
     */
    boolean fits(KernelVariant variant) {
        boolean isForNvidia = variant.kernel().equals(KernelSource.SEQUENCE_REGISTERS.title());
        return variant.localBytes() <= vendor.groupLocalBytes && (vendor == Vendor.NVIDIA || !isForNvidia);
    }

    /**
     * Returns the number of waves that a SIMD has registers for. Local memory may allow fewer.
     *
     * @param needed registers of a lane that the kernel needs
     */
    int waves(int needed) {
        int granted = (Math.max(1, needed) + registerGranule - 1) / registerGranule * registerGranule;
        return Math.min(waveSlots, registers / granted);
    }

    /** Returns whether a packed instruction does two multiply-adds, without which half of the peak is out of reach. */
    boolean packs() {
        return name.equals("gfx90a") || name.equals("gfx942");
    }

    @Override
    public String toString() {
        return name;
    }
}

package io.github.cellfuse.audit;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.opencl.plan.KernelVariant;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A GPU that kernels are compiled for.
 *
 * @param name as the compiler knows it
 * @param vendor whose compiler and documents count
 * @param products that have it
 */
record Target(String name, Vendor vendor, String products, ComputeUnit unit) {
    /** Who makes a GPU, and so what a listing looks like. */
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
     * Registers, granules, wave and group slots of AMD are those that LLVM's AMDGPU backend (AMDGPUBaseInfo) counts with; clocks and
     * local memory stand in AMD's "Vega 7nm Shader ISA", "CDNA2 ISA", "CDNA3 ISA", "RDNA 2 ISA" and "RDNA3 ISA" and the white papers of
     * GCN, CDNA 2, CDNA 3 and RDNA. NVIDIA's are the table "Technical Specifications per Compute Capability" of the "CUDA C++
     * Programming Guide" and the tuning guides of Turing, Ampere and Hopper. Bytes a clock of the shared cache are its channels
     * times their width, divided by the compute units of the first product, where the vendor says so (AMD up to RDNA, CDNA; A100), and
     * else rounded from published microbenchmarks, as latencies are, of which vendors say nothing.
     */
    static final List<Target> ALL = List.of(
            amd("gfx906", "Radeon VII, MI50", gcn(1, 256, 4, 10, 17, 4, 400)),
            amd("gfx90a", "MI210, MI250X", gcn(2, 512, 8, 8, 39, 8, 500)),
            amd("gfx942", "MI300X", gcn(2, 512, 8, 8, 53, 8, 500)),
            amd("gfx1030", "Radeon RX 6900 XT", rdna(1, 1024, 16, 512, 25)),
            amd("gfx1100", "Radeon RX 7900 XTX", rdna(2, 1536, 24, 1024, 24)),
            nvidia("sm_75", "T4, RTX 2080", multiprocessor(2, 8, 16, 64 * KIB, 256, 0, 64, 20, 200)),
            nvidia("sm_80", "A100", multiprocessor(2, 16, 32, 164 * KIB, 128, KIB, 128, 47, 250)),
            nvidia("sm_90", "H100", multiprocessor(1, 16, 32, 228 * KIB, 128, KIB, 128, 39, 250)));

    private static Target amd(String name, String products, ComputeUnit unit) {
        return new Target(name, Vendor.AMD, products, unit);
    }

    private static Target nvidia(String name, String products, ComputeUnit unit) {
        return new Target(name, Vendor.NVIDIA, products, unit);
    }

    /** GCN and CDNA: four SIMDs of 16 lanes, which take four clocks for a wave of 64. */
    private static ComputeUnit gcn(
            int fmas, int registers, int granule, int waveSlots, int level2, int fmaLatency, int globalLatency) {
        return new ComputeUnit(
                4,
                64,
                4,
                fmas,
                false,
                registers,
                granule,
                waveSlots,
                16,
                64 * KIB,
                512,
                0,
                64,
                level2,
                fmaLatency,
                64,
                globalLatency);
    }

    /** RDNA with waves of 32: two SIMDs of 32 lanes. Two such units may be used as one, with the local memory of both; that is left aside. */
    private static ComputeUnit rdna(int fmas, int registers, int granule, int localGranule, int level2) {
        return new ComputeUnit(
                2, 32, 1, fmas, false, registers, granule, 16, 16, 64 * KIB, localGranule, 0, 128, level2, 5, 64, 300);
    }

    /** Four schedulers with 64 KiB of registers each, which hand them out to a warp in pieces of 8 a lane. */
    private static ComputeUnit multiprocessor(
            int clocks,
            int waveSlots,
            int groups,
            int local,
            int localGranule,
            int reserved,
            int level1,
            int level2,
            int globalLatency) {
        return new ComputeUnit(
                4,
                32,
                clocks,
                1,
                true,
                512,
                8,
                waveSlots,
                groups,
                local,
                localGranule,
                reserved,
                level1,
                level2,
                4,
                30,
                globalLatency);
    }

    /** The one that the compiler knows as {@code name}. */
    static Target named(String name) {
        return ALL.stream()
                .filter(target -> target.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("target: expected one of "
                        + ALL.stream().map(Target::name).collect(Collectors.joining(", ")) + ", found " + name));
    }

    /** Whether a work-group has as much local memory as {@code variant} wants; the engine asks the device and chooses another where not. */
    boolean fits(KernelVariant variant) {
        return variant.localBytes() <= vendor.groupLocalBytes;
    }

    @Override
    public String toString() {
        return name;
    }
}

package io.github.cellfuse.audit;

import io.github.cellfuse.InvalidInputException;
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
        AMD,
        NVIDIA
    }

    private static final int KIB = 1024;

    /**
     * Registers, granules and wave slots of AMD are those of LLVM's AMDGPU backend (AMDGPUBaseInfo), which agrees with AMD's "Vega 7nm
     * Shader ISA", "CDNA2 ISA", "CDNA3 ISA", "RDNA 2 ISA" and "RDNA3 ISA"; clocks, cache rates and local memory of its white papers
     * "CDNA 2", "CDNA 3", "RDNA" and of the "GCN" architecture; NVIDIA's are the table "Technical Specifications per Compute Capability"
     * of the "CUDA C++ Programming Guide" and the "Tuning Guides" of Turing, Ampere and Hopper. Bytes a clock of the shared
     * cache are the whole cache's divided by the compute units of the first product. Latencies aren't in vendors' documents: they are round
     * numbers after published microbenchmarks ("Dissecting the NVIDIA Volta/Turing GPU via Microbenchmarking" for NVIDIA).
     */
    static final List<Target> ALL = List.of(
            //                                                       simds, lanes, clocks, fmas, shared
            new Target(
                    "gfx906",
                    Vendor.AMD,
                    "Radeon VII, MI50", //
                    new ComputeUnit(4, 64, 4, 1, false, 256, 4, 10, 40, 64 * KIB, 512, 0, 64, 17, 4, 64, 400)),
            new Target(
                    "gfx90a",
                    Vendor.AMD,
                    "MI210, MI250X", //
                    new ComputeUnit(4, 64, 4, 2, false, 512, 8, 8, 32, 64 * KIB, 512, 0, 64, 39, 8, 64, 500)),
            new Target(
                    "gfx942",
                    Vendor.AMD,
                    "MI300X", //
                    new ComputeUnit(4, 64, 4, 2, false, 512, 8, 8, 32, 64 * KIB, 512, 0, 64, 53, 8, 64, 500)),
            new Target(
                    "gfx1030",
                    Vendor.AMD,
                    "Radeon RX 6900 XT", //
                    new ComputeUnit(2, 32, 1, 1, false, 1024, 16, 16, 32, 64 * KIB, 512, 0, 128, 25, 5, 64, 300)),
            new Target(
                    "gfx1100",
                    Vendor.AMD,
                    "Radeon RX 7900 XTX", //
                    new ComputeUnit(2, 32, 1, 2, false, 1536, 24, 16, 32, 64 * KIB, 1024, 0, 128, 24, 5, 64, 300)),
            new Target(
                    "sm_75",
                    Vendor.NVIDIA,
                    "T4, RTX 2080", //
                    new ComputeUnit(4, 32, 2, 1, true, 512, 8, 8, 16, 64 * KIB, 256, 0, 64, 20, 4, 30, 200)),
            new Target(
                    "sm_80",
                    Vendor.NVIDIA,
                    "A100", //
                    new ComputeUnit(4, 32, 2, 1, true, 512, 8, 16, 32, 164 * KIB, 128, KIB, 128, 47, 4, 30, 250)),
            new Target(
                    "sm_90",
                    Vendor.NVIDIA,
                    "H100", //
                    new ComputeUnit(4, 32, 1, 1, true, 512, 8, 16, 32, 228 * KIB, 128, KIB, 128, 39, 4, 30, 250)));

    /** The one that the compiler knows as {@code name}. */
    static Target named(String name) {
        return ALL.stream()
                .filter(target -> target.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("target: expected one of "
                        + ALL.stream().map(Target::name).collect(Collectors.joining(", ")) + ", found " + name));
    }

    @Override
    public String toString() {
        return name;
    }
}

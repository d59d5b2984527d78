package io.github.cellfuse.opencl.device;

import io.github.cellfuse.cl.Capabilities;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The cores of a GPU, each of which runs whole work-groups: NVIDIA's streaming multiprocessors, AMD's compute units or
 * work-group processors, Intel's Xe cores. OpenCL doesn't tell what a core has. This table does, by architecture; for
 * others it takes what the driver says, and what most GPUs have.
 *
 * <p>Sources: NVIDIA's CUDA C++ Programming Guide, technical specifications for each compute capability, and the
 * whitepapers of the architectures; AMD's guides to the instruction sets of CDNA 1 to 3 and RDNA 1 to 4; Intel's Xe GPU
 * architecture in the oneAPI GPU Optimization Guide.
 *
 * @param cores their number
 * @param wave work-items that run in lockstep: a warp or a wavefront
 * @param schedulers waves of a core that issue an instruction side by side
 * @param lanes float multiply-adds that a scheduler begins in a cycle
 * @param localBytes local memory of a core; a work-group may have less
 * @param registers 32-bit registers of a core, for all its work-items
 * @param together work-groups that all cores are sure to run at the same time, if there are memory and registers for
 *     them
 */
public record GpuCore(int cores, int wave, int schedulers, int lanes, long localBytes, long registers, int together) {
    private static final int WARP = 32;

    /** Groups that a core of NVIDIA's holds at least: 512 groups ran at the same time on 132 cores. */
    private static final int NVIDIA_GROUPS = 16;

    /** The most local memory of a group. Where nothing was measured, a core is sure to hold one group for each. */
    private static final long GROUP_BYTES = 64 << 10;

    /** Of Intel's vector engines, which its drivers count as compute units, a core has at most as many. */
    private static final int MOST_ENGINES = 16;

    private static final Pattern GFX = Pattern.compile("gfx(9|1[0-9])([0-9a-f]{2}).*");

    /**
     * An architecture of NVIDIA. All have four schedulers and 65536 registers.
     *
     * @param from the lowest compute capability
     * @param lanes of a scheduler
     * @param localKib KiB of shared memory of a multiprocessor
     */
    private record Nvidia(int from, int lanes, int localKib) {}

    /** The newest first: one that came later has at least what the newest one here has. */
    private static final List<Nvidia> NVIDIA = List.of(
            new Nvidia(120, 32, 100), // Blackwell, GeForce
            new Nvidia(100, 32, 228), // Blackwell, data center
            new Nvidia(90, 32, 228), // Hopper
            new Nvidia(89, 32, 100), // Ada
            new Nvidia(87, 32, 164), // Orin
            new Nvidia(86, 32, 100), // Ampere, GeForce
            new Nvidia(80, 16, 164), // A100
            new Nvidia(75, 16, 64), // Turing
            new Nvidia(70, 16, 96)); // Volta

    /** Returns the cores of {@code device}. */
    public static GpuCore of(Capabilities device) {
        int units = Math.max(1, device.computeUnits());
        int capability = device.vendorFacts().computeCapability();
        for (Nvidia known : NVIDIA) {
            if (capability >= known.from) {
                return new GpuCore(units, WARP, 4, known.lanes, known.localKib << 10, 1 << 16, NVIDIA_GROUPS * units);
            }
        }
        Matcher gfx = GFX.matcher(device.name());
        if (gfx.matches()) {
            return amd(units, Integer.parseInt(gfx.group(1)), Integer.parseInt(gfx.group(2), 16));
        }
        boolean isIntel = device.vendor().startsWith("Intel");
        int fewest = isIntel ? Math.max(1, units / MOST_ENGINES) : units;
        if (isIntel && device.name().contains("Arc")) {
            // A compute unit is one of the 16 vector engines of a core, with 8 lanes and 8 threads of 4 KiB.
            return of(fewest, 16, 16, 8, 128 << 10, 1 << 17);
        }
        int wave = device.vendorFacts().wave() > 0 ? device.vendorFacts().wave() : WARP;
        return new GpuCore(units, wave, 4, wave, device.localMemoryBytes(), 1 << 16, fewest);
    }

    /** Returns cores of an architecture on which no work-groups have waited for each other so far. */
    private static GpuCore of(int cores, int wave, int schedulers, int lanes, long localBytes, long registers) {
        int together = (int) (cores * (localBytes / GROUP_BYTES));
        return new GpuCore(cores, wave, schedulers, lanes, localBytes, registers, together);
    }

    /** Returns whether AMD's own driver runs the device, a GPU of GCN 5 or later. Mesa's has other names. */
    static boolean isAmd(Capabilities device) {
        return GFX.matcher(device.name()).matches();
    }

    private static GpuCore amd(int units, int major, int minor) {
        if (major == 9) {
            // Four SIMDs of 16 lanes. gfx90a and later have 512 registers for each lane of a wave, earlier ones 256.
            boolean isDouble = minor >= 0x0a;
            return of(units, 64, 4, 16, 64 << 10, isDouble ? 1 << 17 : 1 << 16);
        }
        // Drivers count work-group processors: four SIMDs of 32 lanes, and 128 KiB.
        return of(units, 32, 4, 32, 128 << 10, major == 10 ? 1 << 17 : 3 << 16);
    }

    /** Returns the waves of {@code items} work-items. */
    public int waves(int items) {
        return (items + wave - 1) / wave;
    }
}

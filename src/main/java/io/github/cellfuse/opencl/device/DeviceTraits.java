package io.github.cellfuse.opencl.device;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.program.DeviceAtomics;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Set;

/**
 * The traits of a device that decide which kernels it runs and how: its registers, its caches and the quirks of its
 * driver. None of them changes a bit of a result. Immutable.
 *
 * @param device what the driver reports
 * @param processors cores that this process may use
 */
public record DeviceTraits(Capabilities device, int processors) {
    /** Bytes of weights that stay in a core's own cache: current CPUs have 0.5 to 2 MiB per core. */
    public static final long CORE_CACHE = 1 << 20;

    /** When work-groups of a GPU wait for each other, all of a launch's running at the same time. */
    public enum WaitingGroups {
        /** They have nothing to wait with. */
        NEVER,
        /**
         * If a user asks for it, by naming the plan or by tuning: they should be able to, but nobody has measured it.
         */
        IF_ASKED,
        /** Wherever that should be fastest. */
        BY_DEFAULT
    }

    /** The processors whose clock {@code kernels/clock.cl} reads. */
    private static final Set<String> CLOCKS = Set.of("amd64", "x86_64", "aarch64");

    /** The first compute capability whose work-groups can wait for each other. */
    private static final int VOLTA = 70;

    /** Bytes of the shared cache where the driver reports none. */
    private static final long SHARED_CACHE = 32 << 20;

    /** Returns the traits of {@code device} for this process and the cores that the JVM sees. */
    public static DeviceTraits of(Capabilities device) {
        return new DeviceTraits(device, Runtime.getRuntime().availableProcessors());
    }

    /**
     * Returns whether the device is a CPU, where a work-item is a loop in a thread and local memory is ordinary memory.
     */
    public boolean isCpu() {
        return device.type() == Capabilities.Type.CPU;
    }

    /** Returns the number of cores or compute units that run work-items side by side: at least 1. */
    public int cores() {
        return Math.max(1, device.computeUnits());
    }

    /** Returns the bytes of the cache that all cores share. */
    public long sharedCache() {
        return device.globalCacheBytes() > 0 ? device.globalCacheBytes() : SHARED_CACHE;
    }

    /**
     * Returns the lanes of a work-item. An engine has one value for all its tiles, because it packs the weights for it.
     */
    public int vec() {
        if (!isCpu()) {
            // A GPU vectorizes across work-items. Four units per work-item keep the loads of weights 16 bytes wide.
            return 4;
        }
        if (emulatesFma()) {
            return 1;
        }
        int width = device.nativeFloatWidth();
        // Some drivers don't know their own registers (0 and 1 are common answers); every current CPU has 4 lanes.
        return width >= 16 ? 16 : width >= 8 ? 8 : 4;
    }

    /**
     * Returns the most rows of a tile whose sums of all gates fit the registers. A CPU needs four vectors per row, four
     * for the weights and one for the broadcast input.
     */
    public int tallestTile() {
        if (!isCpu()) {
            return 4; // 4 rows x 4 units x 4 gates = 64 registers of sums: two to four waves fit a compute unit
        }
        if (emulatesFma()) {
            return 1;
        }
        return hasThirtyTwoRegisters() ? 6 : 3;
    }

    /** Returns the tile for a large batch: its sums fill the registers. */
    public Tile largestTile() {
        return Tile.of(vec(), tallestTile());
    }

    /** Returns whether a CPU has 32 vector registers, as AVX-512 and AArch64 do, and not 16. */
    public boolean hasThirtyTwoRegisters() {
        return vec() == 16 || System.getProperty("os.arch").equals("aarch64");
    }

    /**
     * Returns whether a CPU's driver replaces each {@code fma} with a function of some hundred instructions, which
     * outweighs what a larger tile saves and takes long to compile for each lane and row (on llvmpipe half a minute for
     * a tile of 4 units, three seconds for a tile of 1).
     */
    public boolean emulatesFma() {
        return isCpu() && !device.singlePrecision().fma();
    }

    /**
     * Returns whether the driver silently ends the loops of a work-item after 65535 iterations in all, as Mesa's
     * llvmpipe does to stop shaders that hang: a step stays far below the limit, a whole sequence does not.
     */
    public boolean endsLongLoops() {
        return device.name().startsWith("llvmpipe");
    }

    /**
     * Returns when work-groups may wait for each other: by default on NVIDIA's GPUs from Volta on, which ran so; if
     * asked on other GPUs with atomic operations for the whole device and a clock that {@code kernels/clock.cl} knows.
     */
    public WaitingGroups waitingGroups() {
        if (isCpu()) {
            return WaitingGroups.NEVER; // there, work-items do: runsCooperatively
        }
        if (device.vendorFacts().computeCapability() >= VOLTA) {
            return WaitingGroups.BY_DEFAULT;
        }
        boolean hasClock = device.deviceClock() || GpuCore.isAmd(device);
        return hasClock && DeviceAtomics.of(device).isPresent() ? WaitingGroups.IF_ASKED : WaitingGroups.NEVER;
    }

    /**
     * Returns whether the device runs one work-group per compute unit at the same time, so that work-items may wait for
     * each other: PoCL's CPU devices do, because each compute unit is a thread, unless the process may use fewer cores
     * than there are threads. Kernels must also know a clock, so that no work-item waits for long.
     */
    public boolean runsCooperatively() {
        return isCpu()
                && device.version().contains("PoCL")
                && device.computeUnits() <= processors
                && CLOCKS.contains(System.getProperty("os.arch"));
    }
}

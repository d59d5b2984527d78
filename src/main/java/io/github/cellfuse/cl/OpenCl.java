package io.github.cellfuse.cl;

import java.util.List;

/**
 * The OpenCL runtime of this machine, looked at once per process, when first asked. Nothing here throws: what is missing is a
 * sentence in {@link #problems()}. Thread-safe.
 */
public final class OpenCl {
    private OpenCl() {}

    /** Looks on first use; class initialisation makes it happen once. */
    private static final class Found {
        private static final Probe PROBE = Probe.run();
    }

    /** Every platform, in the loader's order; those without a usable device included. Empty when there is no OpenCL here. */
    public static List<ClPlatform> platforms() {
        return Found.PROBE.platforms();
    }

    /** Every device of every platform, in the order of {@link #platforms()}. */
    public static List<ClDevice> devices() {
        return platforms().stream().flatMap(p -> p.devices().stream()).toList();
    }

    /**
     * Why there is no platform, or no device on one: one sentence each, with how to help it. Empty when everything answered.
     */
    public static List<String> problems() {
        return Found.PROBE.problems();
    }

    /** OpenCL objects of this package that are open in this process: contexts, queues, programs, kernels, buffers, mappings, events. */
    public static long liveObjects() {
        return Handle.live();
    }
}

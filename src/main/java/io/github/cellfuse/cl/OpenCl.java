package io.github.cellfuse.cl;

import java.util.List;

/**
 * The OpenCL runtime of this machine. It is examined once per process, on first use. Nothing here throws:
 * {@link #problems()} explains what is missing. Thread safe; an interrupted thread finds the same devices.
 */
public final class OpenCl {
    private OpenCl() {}

    /** Examines the machine on first use; class initialization makes this happen once. */
    private static final class Found {
        private static final Probe PROBE = Undisturbed.call(Probe::run);
    }

    /**
     * Returns every platform in the loader's order, including those without a usable device. Empty if there is no
     * OpenCL.
     */
    public static List<ClPlatform> platforms() {
        return Found.PROBE.platforms();
    }

    /** Returns every device of every platform, in the order of {@link #platforms()}. */
    public static List<ClDevice> devices() {
        return platforms().stream().flatMap(p -> p.devices().stream()).toList();
    }

    /**
     * Returns why there is no platform, or no device on one: one sentence each, with a remedy. Empty if everything
     * answered.
     */
    public static List<String> problems() {
        return Found.PROBE.problems();
    }

    /**
     * Returns the number of open objects of this package in this process: contexts, queues, programs, kernels, buffers
     * …
     */
    public static long liveObjects() {
        return Handle.live();
    }
}

package io.github.cellfuse.bench;

/**
 * One measurement.
 *
 * @param suite the suite's name
 * @param kernel the kernel's name, or {@code run}: a whole run through a session, including transfers
 * @param plan the plan, {@code java} for that device, or null for a stand-alone kernel
 * @param series {@code T}, {@code N} or {@code H} for a point of a growth series, else null
 * @param dimensions the sizes
 * @param work the operations and bytes of one launch or run
 * @param timing the time
 */
public record BenchResult(
        String suite, String kernel, String plan, String series, Dimensions dimensions, Work work, Timing timing) {
    /** The kernel's name for a whole run. */
    public static final String RUN = "run";

    /** Seconds of one launch or run: by the host's clock, or by the device's for a kernel within a run. */
    public double seconds() {
        return timing.seconds();
    }

    /** Returns the speed in 10⁹ operations per second. */
    public double gflops() {
        return work.flops() / seconds() * 1e-9;
    }

    /** Returns the bandwidth in 10⁹ bytes per second, counting only the bytes that must be moved. */
    public double gbytesPerSecond() {
        return work.bytes() / seconds() * 1e-9;
    }
}

package io.github.cellfuse.bench;

/**
 * One measurement.
 *
 * @param suite the suite's name
 * @param kernel the kernel's name, or {@code run}: a whole run through a session, transfers included
 * @param plan the plan, {@code java} for that device, or null for a kernel that stands alone
 * @param series {@code T}, {@code N} or {@code H} where it is a point of a growth series; null elsewhere
 * @param dimensions the sizes
 * @param work what was done
 * @param seconds the median over the rounds
 * @param ofRoofline the median over the rounds of the share of the roofline measured in the same round; NaN where there is none
 * @param rounds how many there were
 */
public record BenchResult(
        String suite,
        String kernel,
        String plan,
        String series,
        Dimensions dimensions,
        Work work,
        double seconds,
        double ofRoofline,
        int rounds) {
    /** The kernel's name of a whole run. */
    public static final String RUN = "run";

    /** 10⁹ operations per second. */
    public double gflops() {
        return work.flops() / seconds * 1e-9;
    }

    /** 10⁹ bytes per second, of those that must be moved. */
    public double gbytesPerSecond() {
        return work.bytes() / seconds * 1e-9;
    }
}

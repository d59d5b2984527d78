package io.github.cellfuse.bench;

/**
 * A device's two limits, as they were at one time: the roofline. NaN where they aren't known.
 *
 * @param flopsPerSecond the multiply-add peak
 * @param bytesPerSecond the memory's, reading and writing together
 */
public record Limits(double flopsPerSecond, double bytesPerSecond) {
    /** Of a device without kernels to measure it by. */
    public static final Limits UNKNOWN = new Limits(Double.NaN, Double.NaN);

    /**
     * The share of the roofline that {@code work} done in {@code seconds} reaches: {@code achieved / min(peak, intensity·bandwidth)},
     * with the speed achieved in operations per second. More than 1 is possible only where the caches hold what counts as coming from
     * memory.
     */
    public double share(Work work, double seconds) {
        return work.flops() / seconds / Math.min(flopsPerSecond, work.intensity() * bytesPerSecond);
    }
}

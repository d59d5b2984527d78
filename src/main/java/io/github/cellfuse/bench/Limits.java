package io.github.cellfuse.bench;

/**
 * A device's roofline, measured at one time. Unknown limits are NaN.
 *
 * @param flopsPerSecond the multiply-add peak
 * @param bytesPerSecond the memory's bandwidth for reading and writing together
 */
public record Limits(double flopsPerSecond, double bytesPerSecond) {
    /** The limits of a device that has no kernels to measure them. */
    public static final Limits UNKNOWN = new Limits(Double.NaN, Double.NaN);

    /**
     * Returns the share of the roofline that {@code work} done in {@code seconds} reaches: {@code achieved / min(peak,
     * intensity·bandwidth)}, where the achieved speed is in operations per second. A share above 1 means that something
     * disturbed one of the measurements.
     */
    public double share(Work work, double seconds) {
        return work.flops() / seconds / Math.min(flopsPerSecond, work.intensity() * bytesPerSecond);
    }
}

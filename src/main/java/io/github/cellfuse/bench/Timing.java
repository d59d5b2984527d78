package io.github.cellfuse.bench;

import java.util.List;

/**
 * The time that a measurement found. Unknown values are NaN.
 *
 * @param wallSeconds the median over the rounds by the host's clock; unknown for a kernel within a run, which the host
 *     doesn't wait for
 * @param deviceSeconds the median by the device's clock: for a whole run, of its kernels together; unknown on a device
 *     that has no clock
 * @param lowerQuartile seconds, of the same clock as {@link #seconds()}: a quarter of the rounds took less
 * @param upperQuartile seconds, of the same clock as {@link #seconds()}: a quarter of the rounds took more
 * @param ofRoofline the median over the rounds of the share of the roofline measured around the same round
 * @param rounds the number of rounds
 * @param disturbances why the result can't be trusted, such as {@code other programs used 45 % of the processor}; empty
 *     if nothing was noticed
 */
public record Timing(
        double wallSeconds,
        double deviceSeconds,
        double lowerQuartile,
        double upperQuartile,
        double ofRoofline,
        int rounds,
        List<String> disturbances) {
    public Timing {
        disturbances = List.copyOf(disturbances);
    }

    /** Returns the time by which the result is judged: the host's if it is known, or the device's. */
    public double seconds() {
        return Double.isNaN(wallSeconds) ? deviceSeconds : wallSeconds;
    }

    /** Returns whether something other than the device and its work decided the time. */
    public boolean isDisturbed() {
        return !disturbances.isEmpty();
    }
}

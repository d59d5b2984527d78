package io.github.cellfuse.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The times of one measurement's rounds. Not thread safe. */
final class RoundTimes {
    /** Clocks and limits are exact to about this. What is faster than its limit by more was measured wrong. */
    static final double MOST_OF_LIMIT = 1.02;

    /** Half of the rounds lie within this share of the median, on a machine without other work. */
    static final double MOST_SPREAD = 0.2;

    private final List<Double> seconds = new ArrayList<>();
    private final List<Double> shares = new ArrayList<>();

    /** Adds a round: its time, and the share of the limits measured around the round. */
    void add(double time, double share) {
        seconds.add(time);
        shares.add(share);
    }

    /**
     * Returns the result of rounds that were timed by the host.
     *
     * @param deviceSeconds the same by the device's clock; NaN if it has none
     * @param load of the machine during the rounds
     */
    Timing byHost(double deviceSeconds, MachineLoad load) {
        return timing(quartile(seconds, 2), deviceSeconds, load);
    }

    /** Returns the result of rounds that were timed by the device; otherwise like {@link #byHost}. */
    Timing byDevice(MachineLoad load) {
        return timing(Double.NaN, quartile(seconds, 2), load);
    }

    private Timing timing(double wall, double device, MachineLoad load) {
        double lower = quartile(seconds, 1), upper = quartile(seconds, 3), share = quartile(shares, 2);
        List<String> disturbances = new ArrayList<>();
        if (load.isDisturbing()) {
            disturbances.add(percent("other programs used %.0f %% of the processor", load.others()));
        }
        double spread = (upper - lower) / quartile(seconds, 2);
        if (spread > MOST_SPREAD) {
            disturbances.add(percent("half of the rounds differ by %.0f %%", spread));
        }
        if (share > MOST_OF_LIMIT) {
            disturbances.add(percent("it reached %.0f %% of its limit", share));
        }
        return new Timing(wall, device, lower, upper, share, seconds.size(), disturbances);
    }

    private static String percent(String format, double share) {
        return String.format(Locale.ROOT, format, 100 * share);
    }

    private static double quartile(List<Double> values, int which) {
        return Rounds.quartile(
                which, values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}

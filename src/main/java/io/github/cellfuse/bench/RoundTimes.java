package io.github.cellfuse.bench;

import java.util.ArrayList;
import java.util.List;

/** The times of one measurement's rounds. Not thread safe. */
final class RoundTimes {
    private final List<Double> seconds = new ArrayList<>();
    private final List<Double> shares = new ArrayList<>();

    /** Adds a round: its time, and the share of the limits measured in the same round. */
    void add(double time, double share) {
        seconds.add(time);
        shares.add(share);
    }

    /** Returns the medians. */
    Timing timing() {
        return new Timing(median(seconds), median(shares), seconds.size());
    }

    private static double median(List<Double> values) {
        return Rounds.median(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}

package io.github.cellfuse.bench;

import java.util.ArrayList;
import java.util.List;

/** What the rounds of one measurement gave. Not thread safe. */
final class RoundTimes {
    private final List<Double> seconds = new ArrayList<>();
    private final List<Double> shares = new ArrayList<>();

    /** One round: its time, and the share of the limits of the same round. */
    void add(double time, double share) {
        seconds.add(time);
        shares.add(share);
    }

    /** The medians. */
    BenchResult result(String suite, String kernel, String plan, String series, Dimensions dimensions, Work work) {
        return new BenchResult(
                suite, kernel, plan, series, dimensions, work, median(seconds), median(shares), seconds.size());
    }

    private static double median(List<Double> values) {
        return Rounds.median(values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}

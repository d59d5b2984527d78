package io.github.cellfuse.bench.peers;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Statistics for a table of measurements. */
public final class Statistics {
    private Statistics() {}

    /** Returns the median; the mean of the middle two of an even number. */
    public static double median(double... values) {
        return quantile(0.5, values);
    }

    /**
     * Returns the value below which a share {@code q} of the values lies, with linear interpolation between neighbours.
     */
    public static double quantile(double q, double... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("quantile of no values");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double position = q * (sorted.length - 1);
        int below = (int) Math.floor(position);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }

    /** {@code a[r] / b[r]} of each round r. */
    public static double[] ratios(double[] a, double[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException("rounds: " + a.length + " and " + b.length);
        }
        double[] ratios = new double[a.length];
        for (int round = 0; round < a.length; round++) {
            ratios[round] = a[round] / b[round];
        }
        return ratios;
    }

    public static double geometricMean(double... values) {
        return Math.exp(Arrays.stream(values).map(Math::log).average().orElse(Double.NaN));
    }

    /** Returns the largest difference; infinite where one has a NaN, or their sizes differ. */
    public static double largestDifference(FloatBuffer a, FloatBuffer b) {
        if (a.limit() != b.limit()) {
            return Double.POSITIVE_INFINITY;
        }
        double largest = 0;
        for (int k = 0; k < a.limit(); k++) {
            double difference = Math.abs((double) a.get(k) - b.get(k));
            // Negated, so that NaN counts: every comparison with it is false.
            if (!(difference <= largest)) {
                largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
            }
        }
        return largest;
    }
}

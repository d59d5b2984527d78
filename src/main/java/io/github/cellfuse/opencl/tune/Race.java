package io.github.cellfuse.opencl.tune;

import java.util.Arrays;

/**
 * Times of several candidates that took turns: {@code seconds[candidate][round]}, candidate 0 being the one that has to be beaten.
 * Candidates are compared within rounds, so a machine that slows down for a while slows both sides of a ratio.
 */
record Race(double[][] seconds) {
    /** What has to be gained: machines that do something else as well differ by this from one minute to the next. */
    static final double ENOUGH = 0.97;

    /**
     * The candidate with the least median time among those that are clearly ahead of candidate 0, in the median round by
     * 3 % or more, and in three of four rounds at all; 0 when none is, so that noise doesn't tune.
     */
    int winner() {
        int best = 0;
        for (int c = 1; c < seconds.length; c++) {
            if (isAhead(c) && (best == 0 || median(c) < median(best))) {
                best = c;
            }
        }
        return best;
    }

    private boolean isAhead(int candidate) {
        double[] ratios = ratios(candidate);
        return quantile(ratios, 0.5) <= ENOUGH && quantile(ratios, 0.75) < 1;
    }

    /** The candidate's median time. */
    double median(int candidate) {
        return quantile(seconds[candidate], 0.5);
    }

    /** The median over the rounds of the candidate's time as a share of candidate 0's. */
    double ratio(int candidate) {
        return quantile(ratios(candidate), 0.5);
    }

    private double[] ratios(int candidate) {
        double[] ratios = new double[seconds[candidate].length];
        for (int round = 0; round < ratios.length; round++) {
            ratios[round] = seconds[candidate][round] / seconds[0][round];
        }
        return ratios;
    }

    private static double quantile(double[] values, double share) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double at = share * (sorted.length - 1);
        int below = (int) at, above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}

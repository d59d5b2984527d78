package io.github.cellfuse.opencl.tune;

import java.util.Arrays;

/**
 * The times of several candidates that took turns: {@code seconds[candidate][round]}. Candidate 0 is the one to beat.
 * Candidates are compared within rounds, so a machine that slows down for a while slows both sides of a ratio.
 */
record Race(double[][] seconds) {
    /** The ratio that a winner must reach: on a busy machine, times vary by this much from one minute to the next. */
    static final double ENOUGH = 0.97;

    /**
     * Returns the candidate with the least median time among those that are clearly ahead of candidate 0: by 3 % or
     * more in the median round, and by any amount in three of four rounds. Returns 0 if there is none, so that noise
     * never wins.
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

    /** Returns the median time of {@code candidate}. */
    double median(int candidate) {
        return quantile(seconds[candidate], 0.5);
    }

    /** Returns the median, over the rounds, of the time of {@code candidate} divided by the time of candidate 0. */
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

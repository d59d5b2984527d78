package io.github.cellfuse.bench;

import java.util.Arrays;

/**
 * The number of rounds in which a shape is measured. After {@link #LEAST} rounds, no new round begins once
 * {@link #SECONDS} have passed, so that one large shape doesn't take as long as all others together.
 *
 * @param most the requested number of rounds
 */
public record Rounds(int most) {
    /** With fewer rounds, the median would mean little. */
    public static final int LEAST = 3;

    /** The time after which no new round of a shape begins. */
    public static final double SECONDS = 2;

    /** Returns whether another round follows. */
    boolean more(int done, long startNanos) {
        return done < most && (done < LEAST || (System.nanoTime() - startNanos) * 1e-9 < SECONDS);
    }

    static double median(double... values) {
        return quartile(2, values);
    }

    /**
     * Returns a quartile, linear between the two values next to it, as NumPy computes it.
     *
     * @param which 1 for the lower, 2 for the median, 3 for the upper
     */
    static double quartile(int which, double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double at = which / 4.0 * (sorted.length - 1);
        int below = (int) at;
        double above = sorted[Math.min(below + 1, sorted.length - 1)];
        return sorted[below] + (at - below) * (above - sorted[below]);
    }
}

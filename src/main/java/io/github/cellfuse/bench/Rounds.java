package io.github.cellfuse.bench;

import java.util.Arrays;

/**
 * How often a shape is measured: as many rounds as asked for, but after {@link #LEAST} none begins once {@link #SECONDS} have gone by,
 * so that one large shape doesn't take as long as all the others.
 *
 * @param most rounds asked for
 */
public record Rounds(int most) {
    /** Fewer have no median worth the name. */
    public static final int LEAST = 3;

    /** The time after which no further round of a shape begins. */
    public static final double SECONDS = 2;

    /** Whether another round follows {@code done} ones. */
    boolean more(int done, long startNanos) {
        return done < most && (done < LEAST || (System.nanoTime() - startNanos) * 1e-9 < SECONDS);
    }

    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

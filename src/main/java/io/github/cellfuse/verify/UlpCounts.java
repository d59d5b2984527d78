package io.github.cellfuse.verify;

import java.util.Arrays;
import java.util.List;

/**
 * Counts errors by their size, in units in the last place (ulp) that float32 has at the value in double precision.
 * Count 0 is of the errors up to ½ ulp, which a correctly rounded result doesn't exceed; count k of those above 2^(k-2)
 * and up to 2^(k-1) ulp; the last one also of all that are larger.
 */
final class UlpCounts {
    /** Up to 2³⁰ ulp: about the distance of 1 from 100. */
    private static final int COUNTS = 32;

    private final long[] counts = new long[COUNTS];
    private double largest;

    void add(double error, double reference) {
        double ulps = error / ulp(reference);
        if (Double.isFinite(ulps)) {
            largest = Math.max(largest, ulps);
        }
        counts[index(ulps)]++;
    }

    void add(UlpCounts other) {
        for (int k = 0; k < COUNTS; k++) {
            counts[k] += other.counts[k];
        }
        largest = Math.max(largest, other.largest);
    }

    /** Returns the distance of the float32 values around a double. */
    private static double ulp(double value) {
        return Double.isFinite(value) ? Math.ulp((float) Math.min(Math.abs(value), Float.MAX_VALUE)) : 1;
    }

    private static int index(double ulps) {
        if (ulps <= 0.5) {
            return 0;
        }
        // The exponent of 2^k is k, and 2^k itself belongs to the count below.
        double exponent = Math.getExponent(Math.nextDown(ulps));
        return (int) Math.min(COUNTS - 1, exponent + 2);
    }

    /** Returns the largest finite error in ulp. */
    double largest() {
        return largest;
    }

    /** Returns the counts up to the last one that isn't zero. */
    List<Long> counts() {
        int used = COUNTS;
        while (used > 0 && counts[used - 1] == 0) {
            used--;
        }
        return Arrays.stream(counts, 0, used).boxed().toList();
    }
}

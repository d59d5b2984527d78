package io.github.cellfuse.verify;

import io.github.cellfuse.verify.Agreement.Difference;
import io.github.cellfuse.verify.Agreement.Judgement;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Accumulates an {@link Agreement}. */
final class Tally {
    private long elements, differing, judged, notJudged, violations;
    private double largestError, largestBound, worstRatio = -1;
    private Difference first;
    private Judgement worst;
    private final UlpCounts ulps = new UlpCounts();

    /** Returns whether two values have the same bits, all NaNs being one. */
    static boolean same(float device, float expected) {
        return Float.floatToIntBits(device) == Float.floatToIntBits(expected);
    }

    /** Compares the bits of two values; {@code a}, {@code b} and {@code c} are their index. */
    void compare(int a, int b, int c, float device, float expected) {
        elements++;
        if (!same(device, expected)) {
            differing++;
            if (first == null) {
                first = new Difference(List.of(a, b, c), device, expected);
            }
        }
    }

    /**
     * Compares the bits of {@code width} values, from {@code from} and {@code at} on.
     *
     * @return whether all are the same
     */
    boolean compare(int a, int b, int width, float[] device, int from, float[] expected, int at) {
        // In a pass, which is the rule, vectors do this.
        if (Arrays.equals(device, from, from + width, expected, at, at + width)) {
            elements += width;
            return true;
        }
        for (int c = 0; c < width; c++) {
            compare(a, b, c, device[from + c], expected[at + c]);
        }
        return false;
    }

    /** Compares the error of a value with its bound. */
    void judge(int a, int b, int c, float device, float expected, double reference, TensorErrors.Bound limit) {
        double error, bound = limit.value();
        if (Double.isFinite(reference) && Double.isFinite(bound)) {
            error = Float.isFinite(device) ? Math.abs(device - reference) : Double.POSITIVE_INFINITY;
        } else if (!Double.isFinite(reference) && Double.compare(expected, reference) == 0) {
            // NaN or an infinity that float32 agrees on: there is no distance, only equality.
            error = Double.compare(device, reference) == 0 ? 0 : Double.POSITIVE_INFINITY;
            bound = 0;
        } else {
            // Something overflowed in float32 but not in double, so the reference can't judge this value.
            notJudged++;
            return;
        }
        judged++;
        violations += error <= bound ? 0 : 1;
        ulps.add(error, reference);
        if (Double.isFinite(error)) {
            largestError = Math.max(largestError, error);
        }
        largestBound = Math.max(largestBound, bound);
        double ratio = error == 0 ? 0 : error / bound;
        if (ratio > worstRatio) {
            worstRatio = ratio;
            worst = new Judgement(List.of(a, b, c), device, reference, error, bound, limit.isProbable());
        }
    }

    /** Adds what another has found in later elements. */
    void add(Tally later) {
        elements += later.elements;
        differing += later.differing;
        judged += later.judged;
        notJudged += later.notJudged;
        violations += later.violations;
        ulps.add(later.ulps);
        largestError = Math.max(largestError, later.largestError);
        largestBound = Math.max(largestBound, later.largestBound);
        first = first == null ? later.first : first;
        if (later.worstRatio > worstRatio) {
            worstRatio = later.worstRatio;
            worst = later.worst;
        }
    }

    Agreement result() {
        return new Agreement(
                elements,
                differing,
                Optional.ofNullable(first),
                judged,
                notJudged,
                violations,
                largestError,
                largestBound,
                ulps.largest(),
                ulps.counts(),
                Optional.ofNullable(worst));
    }
}

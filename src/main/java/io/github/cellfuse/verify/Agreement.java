package io.github.cellfuse.verify;

import java.util.List;
import java.util.Optional;

/**
 * How the values of a device agree with the Java engine's by bits, and with the reference within the error bound, over
 * a set of elements.
 *
 * @param elements number of elements compared by bits
 * @param differing number of these that differ; NaNs don't differ, whatever their payload
 * @param firstDifference the first that differs, in the order of the tensor
 * @param judged number of elements compared with their error bound
 * @param notJudged number of elements of the judged rows without a bound, because something overflowed float32
 * @param violations number of judged elements that exceed their bound
 * @param largestError largest distance of a judged, finite value from the reference
 * @param largestBound largest bound that a value had to meet; above about 1e-2 it proves little
 * @param largestUlps largest of these distances in units in the last place that float32 has at the reference
 * @param ulps number of judged values by such a distance: up to ½, up to 1, up to 2, up to 4 … ; the 32nd also has all
 *     that are further away
 * @param worst the judged value with the largest ratio of error to bound
 */
public record Agreement(
        long elements,
        long differing,
        Optional<Difference> firstDifference,
        long judged,
        long notJudged,
        long violations,
        double largestError,
        double largestBound,
        double largestUlps,
        List<Long> ulps,
        Optional<Judgement> worst) {

    public Agreement {
        ulps = List.copyOf(ulps);
    }

    /**
     * Two values that should have the same bits.
     *
     * @param index row, step and feature in y; state (layer·D + direction), row and unit in h and c
     * @param device the device's value
     * @param twin the Java engine's value
     */
    public record Difference(List<Integer> index, float device, float twin) {}

    /**
     * A value and its error bound.
     *
     * @param index as in {@link Difference}
     * @param device the device's value
     * @param reference the value in double precision
     * @param error their distance; infinite if one is NaN or infinite and the other is not the same
     * @param bound the largest error allowed
     * @param probabilistic whether the bound is the probabilistic one; else it is the worst case
     */
    public record Judgement(
            List<Integer> index, float device, double reference, double error, double bound, boolean probabilistic) {
        /** Returns {@code error / bound}: at most 1 if the bound holds. */
        public double ratio() {
            return error == 0 ? 0 : error / bound;
        }
    }

    /** Returns whether every bit agrees. */
    public boolean sameBits() {
        return differing == 0;
    }

    /** Returns whether every judged value is within its bound. */
    public boolean withinBound() {
        return violations == 0;
    }
}

package io.github.cellfuse.verify;

import java.util.List;
import java.util.Optional;

/**
 * How a device's values agree with the twin's by bits, and with the reference within the bound, over a set of elements.
 *
 * @param elements how many were compared by bits
 * @param differing how many of them differ; two NaNs don't, whatever their payload
 * @param firstDifference the first that differs, in the order of the tensor
 * @param judged how many were held to the error bound
 * @param notJudged how many of the judged rows' elements have no bound: something overflowed float32
 * @param violations how many of the judged exceed their bound
 * @param largestError largest distance of a judged, finite value from the reference
 * @param largestBound largest bound that a value was held to: above about 1e-2 it proves little
 * @param worst the judged value that comes nearest to its bound, or exceeds it the most
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
        Optional<Judgement> worst) {

    /**
     * Two values that should have the same bits.
     *
     * @param index where: row, step, feature in y; state (layer·D + direction), row, unit in h and c
     * @param device the device's
     * @param twin the java twin's
     */
    public record Difference(List<Integer> index, float device, float twin) {}

    /**
     * A value held to its bound.
     *
     * @param index where, as in {@link Difference}
     * @param device the device's
     * @param reference what it should be
     * @param error the distance of the two; infinite where one is NaN or infinite and the other isn't the same
     * @param bound what the error may be
     * @param probabilistic whether the bound is the probabilistic one, else it is the worst case
     */
    public record Judgement(
            List<Integer> index, float device, double reference, double error, double bound, boolean probabilistic) {
        /** {@code error / bound}: at most 1 where the bound holds. */
        public double ratio() {
            return error == 0 ? 0 : error / bound;
        }
    }

    /** Whether every bit is the same. */
    public boolean sameBits() {
        return differing == 0;
    }

    /** Whether every judged value is within its bound. */
    public boolean withinBound() {
        return violations == 0;
    }
}

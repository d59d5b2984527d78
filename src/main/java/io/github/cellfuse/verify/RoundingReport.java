package io.github.cellfuse.verify;

import io.github.cellfuse.WeightPrecision;

/**
 * How far the results with rounded weights are from those of the model as it was trained, in double precision with
 * unrounded weights, over the judged rows. This is the cost of the rounding for this model, not a criterion.
 *
 * @param weights how the weights are stored
 * @param y outputs
 * @param h final hidden states
 * @param c final cell states
 */
public record RoundingReport(WeightPrecision weights, Distance y, Distance h, Distance c) {

    /**
     * The distance of a tensor. It is 0 where both values are NaN or the same infinity, and infinite where only one is
     * finite.
     *
     * @param elements number of elements compared
     * @param largest the largest absolute difference
     * @param rootMeanSquare root mean square of the differences
     */
    public record Distance(long elements, double largest, double rootMeanSquare) {}

    /** Accumulates a {@link Distance}. */
    static final class Sum {
        private long elements;
        private double largest, squares;

        void add(float device, double unrounded) {
            elements++;
            double difference = Math.abs(device - unrounded);
            if (Double.isNaN(difference)) {
                difference = Double.compare(device, unrounded) == 0 ? 0 : Double.POSITIVE_INFINITY;
            }
            largest = Math.max(largest, difference);
            squares += difference * difference;
        }

        Distance result() {
            return new Distance(elements, largest, Math.sqrt(squares / elements));
        }
    }
}

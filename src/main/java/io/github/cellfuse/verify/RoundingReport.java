package io.github.cellfuse.verify;

import io.github.cellfuse.WeightPrecision;

/**
 * How far a device that stores rounded weights is from the model as it was trained, which double precision computes with the
 * weights unrounded: over the judged rows. It says what the rounding costs this model, and is no criterion.
 *
 * @param weights how the weights are stored
 * @param y outputs
 * @param h final hidden states
 * @param c final cell states
 */
public record RoundingReport(WeightPrecision weights, Distance y, Distance h, Distance c) {

    /**
     * A tensor's distance. Where both sides are NaN, or the same infinity, there is none; where one alone is finite it is infinite.
     *
     * @param elements how many were compared
     * @param largest the largest absolute difference
     * @param rootMeanSquare of the differences
     */
    public record Distance(long elements, double largest, double rootMeanSquare) {}

    /** Adds up to a {@link Distance}. */
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

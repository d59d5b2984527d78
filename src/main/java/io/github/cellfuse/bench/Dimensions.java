package io.github.cellfuse.bench;

import io.github.cellfuse.WeightPrecision;

/**
 * The sizes of what was measured. Sizes that a kernel doesn't use are 1, or 0 for the inputs of the stand-alone cell.
 *
 * @param shape T, N, I and H
 * @param p values of a hidden state; equals {@code h} without a projection
 * @param layers {@code L}
 * @param directions {@code D}: 1 or 2
 * @param alternating whether every second layer, from the lowest on, has the reverse direction only
 * @param weights the precision of the stored weights
 */
public record Dimensions(Shape shape, int p, int layers, int directions, boolean alternating, WeightPrecision weights) {
    /** Returns the sizes of one forward layer without a projection, with float32 weights. */
    public static Dimensions of(Shape shape) {
        return new Dimensions(shape, shape.units(), 1, 1, false, WeightPrecision.F32);
    }

    /** Returns the sizes of one forward layer without a projection, with float32 weights. */
    public static Dimensions of(int t, int n, int i, int h) {
        return of(new Shape(t, n, i, h));
    }

    /** Time steps. */
    public int t() {
        return shape.steps();
    }

    /** Rows of the batch. */
    public int n() {
        return shape.rows();
    }

    /** Features of the input. */
    public int i() {
        return shape.inputs();
    }

    /** Hidden units. */
    public int h() {
        return shape.units();
    }

    /** Returns the same sizes with another number of time steps. A kernel that computes one step has 1. */
    public Dimensions withSteps(int steps) {
        return new Dimensions(new Shape(steps, n(), i(), h()), p, layers, directions, alternating, weights);
    }

    /** Returns the same sizes with hidden states of {@code values} values. */
    public Dimensions withProjection(int values) {
        return new Dimensions(shape, values, layers, directions, alternating, weights);
    }

    /** Returns the same sizes with another number of layers. */
    public Dimensions withLayers(int count) {
        return new Dimensions(shape, p, count, directions, alternating, weights);
    }

    /** Returns the same sizes with another number of directions. */
    public Dimensions withDirections(int count) {
        return new Dimensions(shape, p, layers, count, alternating, weights);
    }

    /** Returns the same sizes with weights stored in another precision. */
    public Dimensions withWeights(WeightPrecision precision) {
        return new Dimensions(shape, p, layers, directions, alternating, precision);
    }

    /** Returns the same sizes with layers of one direction, the reverse one in the lowest and in every second above. */
    public Dimensions withAlternatingDirections() {
        return new Dimensions(shape, p, layers, 1, true, weights);
    }

    /** Returns the features of a layer's input. */
    public int inputs(int layer) {
        return layer == 0 ? i() : directions * p;
    }

    /**
     * Returns {@code T,N,I,H}, followed by the differences from one forward layer without a projection and with float32
     * weights.
     */
    @Override
    public String toString() {
        return shape
                + (p == h() ? "" : " P=" + p)
                + (layers == 1 ? "" : " L=" + layers)
                + (directions == 1 ? "" : " bidirectional")
                + (alternating ? " alternating" : "")
                + (weights == WeightPrecision.F32 ? "" : " " + weights);
    }
}

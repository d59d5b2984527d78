package io.github.cellfuse.bench;

import io.github.cellfuse.WeightPrecision;

/**
 * The sizes of what was measured. What a kernel has no use for is 1, or 0 for {@code i}: the stand-alone cell has no features.
 *
 * @param t time steps
 * @param n rows of the batch
 * @param i features of the input
 * @param h hidden units
 * @param p values of a hidden state: {@code h} without a projection
 * @param layers {@code L}
 * @param directions {@code D}: 1 or 2
 * @param weights how the weights are stored
 */
public record Dimensions(int t, int n, int i, int h, int p, int layers, int directions, WeightPrecision weights) {
    /** With weights in float32. */
    public Dimensions(int t, int n, int i, int h, int p, int layers, int directions) {
        this(t, n, i, h, p, layers, directions, WeightPrecision.F32);
    }

    /** One forward layer without a projection. */
    public static Dimensions of(int t, int n, int i, int h) {
        return new Dimensions(t, n, i, h, h, 1, 1);
    }

    /** One forward layer without a projection. */
    public static Dimensions of(Shape shape) {
        return of(shape.steps(), shape.rows(), shape.inputs(), shape.units());
    }

    /** The same with another number of time steps: a kernel of one step has 1. */
    public Dimensions withSteps(int steps) {
        return new Dimensions(steps, n, i, h, p, layers, directions, weights);
    }

    /** The same with the weights stored otherwise. */
    public Dimensions withWeights(WeightPrecision precision) {
        return new Dimensions(t, n, i, h, p, layers, directions, precision);
    }

    /** Features of layer {@code layer}'s input. */
    public int inputs(int layer) {
        return layer == 0 ? i : directions * p;
    }

    /** {@code T,N,I,H}, and what isn't one forward layer without a projection and with float32 weights. */
    @Override
    public String toString() {
        return t + "," + n + "," + i + "," + h
                + (p == h ? "" : " P=" + p)
                + (layers == 1 ? "" : " L=" + layers)
                + (directions == 1 ? "" : " bidirectional")
                + (weights == WeightPrecision.F32 ? "" : " " + weights);
    }
}

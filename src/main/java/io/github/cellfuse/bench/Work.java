package io.github.cellfuse.bench;

import io.github.cellfuse.Plan;

/**
 * The least work that a kernel must do. Its speed is judged by this.
 *
 * <p>Operations are those of the matrix products, where a multiply-add counts as two. For kernels without a product,
 * they are those of the non-linearities as {@code kernels/activations.cl} defines them. The cell update after a product
 * isn't counted: it takes {@value #CELL_FLOPS} operations compared with 8·(I+H), so its cost shows as a lower share of
 * the roofline.
 *
 * <p>Bytes are those that must be read from or written to memory even with perfect caches: each operand once, in
 * float32, and weights in their stored precision. Hence the intensity is the largest possible, and the roofline is a
 * true limit.
 *
 * @param flops floating-point operations of one launch or run
 * @param bytes bytes read and written by one launch or run
 */
public record Work(double flops, double bytes) {
    /** Operations of a cell: three sigmoids of 39, two tanh of 40, two products and a multiply-add. */
    public static final int CELL_FLOPS = 3 * 39 + 2 * 40 + 4;

    /** Four pre-activations and the cell state read, cell state and hidden state written. */
    public static final int CELL_BYTES = 7 * Float.BYTES;

    /** Returns the operations per byte, which is the position on the x-axis of the roofline. */
    public double intensity() {
        return flops / bytes;
    }

    /** Returns the work of {@code lstm_cell}, which moves 28·N·H bytes. */
    static Work cell(Dimensions d) {
        double cells = (double) d.n() * d.h();
        return new Work(CELL_FLOPS * cells, CELL_BYTES * cells);
    }

    /** Returns the work of {@code lstm_activations}, which reads each value and writes its sigmoid and its tanh. */
    static Work activations(double values) {
        return new Work((39 + 40) * values, 3 * Float.BYTES * values);
    }

    /**
     * Returns the work of {@code lstm_input_projection} for all T steps: it reads x, W and the bias, and writes the
     * pre-activations.
     */
    static Work inputProjection(Dimensions d) {
        double rows = (double) d.t() * d.n(), gates = 4.0 * d.h();
        double bytes = floats(rows * d.i() + gates + rows * gates) + weights(d, gates * d.i());
        return new Work(2 * rows * gates * d.i(), bytes);
    }

    /** Returns the work of {@code lstm_hidden_projection} for one step: it reads o⊙tanh(c) and S, and writes h. */
    static Work hiddenProjection(Dimensions d) {
        double n = d.n(), h = d.h(), p = d.p();
        return new Work(2 * n * h * p, floats(n * h + n * p) + weights(d, h * p));
    }

    /**
     * Returns the work of {@code lstm_step} for one step under a plan. All plans read h and R; FUSED and SEPARATE read
     * x, W and the bias, HOISTED the pre-activations instead; SEPARATE writes pre-activations, the others update c and
     * write o⊙tanh(c).
     */
    static Work step(Dimensions d, Plan plan) {
        double n = d.n(), h = d.h(), p = d.p(), i = d.i();
        double input = plan == Plan.HOISTED ? 4 * n * h : n * i + 4 * h;
        double output = plan == Plan.SEPARATE ? 4 * n * h : 3 * n * h;
        double depth = plan == Plan.HOISTED ? p : i + p;
        return new Work(8 * n * h * depth, floats(input + n * p + output) + weights(d, 4 * h * depth));
    }

    /**
     * Returns the work of {@code lstm_sequence} for all T steps: a whole run without moving states in and out; c is
     * updated in place.
     */
    static Work sequence(Dimensions d) {
        double n = d.n(), h = d.h(), p = d.p();
        double values = (double) d.t() * n * (d.i() + p) + n * p + 2 * n * h;
        return new Work(layerFlops(d, 0), floats(values) + layerBytes(d, 0));
    }

    /**
     * Returns the same when the input's product is computed before: it reads the pre-activations instead of x, W and
     * the bias.
     */
    static Work hoistedSequence(Dimensions d) {
        double rows = (double) d.t() * d.n(), n = d.n(), h = d.h(), p = d.p();
        double projection = p == h ? 0 : h * p;
        double values = rows * (4 * h + p) + n * p + 2 * n * h;
        return new Work(rows * (8 * h * p + 2 * projection), floats(values) + weights(d, 4 * h * p + projection));
    }

    /**
     * Returns the work of the recurrent product for all T steps. Operations are DeepBench's count, 8·H²·N·T; bytes are
     * those of T hoisted steps that read R once.
     */
    static Work recurrent(Dimensions d) {
        double rows = (double) d.t() * d.n(), n = d.n(), h = d.h();
        double values = 4 * rows * h + rows * h + n * h + 2 * n * h;
        return new Work(8 * h * h * rows, floats(values) + weights(d, 4 * h * h));
    }

    /**
     * Returns the work of a whole run: it reads x, the weights and the initial states, and writes y and the final
     * states, once each.
     */
    static Work run(Dimensions d) {
        double flops = 0, bytes = floats((double) d.t() * d.n() * (d.i() + (double) d.directions() * d.p()));
        for (int layer = 0; layer < d.layers(); layer++) {
            flops += d.directions() * layerFlops(d, layer);
            bytes += d.directions() * (layerBytes(d, layer) + floats(2.0 * d.n() * (d.p() + d.h())));
        }
        return new Work(flops, bytes);
    }

    /** Returns the operations of one direction: 8·H·(I+P)·N·T, plus 2·P·H·N·T for the projection. */
    private static double layerFlops(Dimensions d, int layer) {
        double rows = (double) d.t() * d.n();
        double gates = 8.0 * d.h() * ((double) d.inputs(layer) + d.p()) * rows;
        return gates + (d.p() == d.h() ? 0 : 2.0 * d.p() * d.h() * rows);
    }

    /**
     * Returns the bytes of one direction's parameters: W, R and S in their stored precision, and one bias in float32.
     */
    private static double layerBytes(Dimensions d, int layer) {
        double h = d.h();
        double values = 4 * h * ((double) d.inputs(layer) + d.p()) + (d.p() == d.h() ? 0 : h * d.p());
        return weights(d, values) + floats(4 * h);
    }

    private static double weights(Dimensions d, double values) {
        return d.weights().bytes() * values;
    }

    private static double floats(double values) {
        return Float.BYTES * values;
    }
}

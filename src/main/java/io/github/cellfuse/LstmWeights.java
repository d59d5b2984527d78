package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.util.Objects;
import java.util.Optional;

/**
 * The parameters of one direction of one layer, in the canonical gate order <b>i, f, g, o</b> (input gate, forget gate,
 * candidate memory, output gate), which is also PyTorch's. Other orders are converted where a file is read and nowhere else.
 *
 * <p>With {@code P = H} unless there is a projection:
 *
 * <pre>
 *   i = σ(W_i·x + R_i·h + b_i)      f = σ(W_f·x + R_f·h + b_f)
 *   g = tanh(W_g·x + R_g·h + b_g)   o = σ(W_o·x + R_o·h + b_o)
 *   c' = f⊙c + i⊙g                  h' = o⊙tanh(c')      (projected: h' = S·(o⊙tanh(c')))
 * </pre>
 *
 * <p>Other functions than these, a clip and a coupled forget gate are matters of the {@link CellEquations}. With peepholes {@code p_i⊙c},
 * {@code p_f⊙c} and {@code p_o⊙c'} are added to the arguments of i, f and o: the output gate sees the new cell state.
 *
 * <p>The arrays are taken over, not copied (they may be gigabytes): don't change them afterwards. Two weights
 * are {@code equal} only when they share their arrays. Two biases are kept apart, as
 * they were trained, and added once by {@link #bias()}.
 *
 * @param inputSize {@code I}
 * @param hiddenSize {@code H}, the size of the cell state
 * @param outputSize {@code P}, the size of the hidden state: {@code H} unless there is a projection
 * @param input {@code W [4H,I]}
 * @param recurrent {@code R [4H,P]}
 * @param inputBias {@code [4H]}, or null for none
 * @param recurrentBias {@code [4H]}, or null for none
 * @param projection {@code S [P,H]}, or null for none
 * @param peepholes {@code p [3,H]} of the gates i, f and o in this order, or null for none
 * @param equations what becomes of the pre-activations
 */
public record LstmWeights(
        int inputSize,
        int hiddenSize,
        int outputSize,
        float[] input,
        float[] recurrent,
        float[] inputBias,
        float[] recurrentBias,
        float[] projection,
        float[] peepholes,
        CellEquations equations) {

    /** The number of gates. */
    public static final int GATES = 4;

    /** The number of gates that may have peepholes: i, f and o. */
    public static final int PEEPHOLES = 3;

    /** Positions of the gates in every array that has a gate dimension. */
    public static final int INPUT_GATE = 0, FORGET_GATE = 1, CANDIDATE = 2, OUTPUT_GATE = 3;

    public LstmWeights {
        positive("input size", inputSize);
        positive("hidden size", hiddenSize);
        positive("output size", outputSize);
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(recurrent, "recurrent");
        Objects.requireNonNull(equations, "equations");
        length("input weights [4H,I]", input, GATES, hiddenSize, inputSize);
        length("recurrent weights [4H,P]", recurrent, GATES, hiddenSize, outputSize);
        length("input bias [4H]", inputBias, GATES, hiddenSize);
        length("recurrent bias [4H]", recurrentBias, GATES, hiddenSize);
        length("projection [P,H]", projection, outputSize, hiddenSize);
        length("peepholes [3,H]", peepholes, PEEPHOLES, hiddenSize);
        if (projection == null && outputSize != hiddenSize) {
            throw new InvalidInputException("an LSTM without a projection has outputs of its hidden size: expected "
                    + hiddenSize + ", found " + outputSize);
        }
    }

    /** The parameters of an ordinary LSTM: without peepholes, with sigmoid gates and tanh. */
    public LstmWeights(
            int inputSize,
            int hiddenSize,
            int outputSize,
            float[] input,
            float[] recurrent,
            float[] inputBias,
            float[] recurrentBias,
            float[] projection) {
        this(
                inputSize,
                hiddenSize,
                outputSize,
                input,
                recurrent,
                inputBias,
                recurrentBias,
                projection,
                null,
                CellEquations.ORDINARY);
    }

    /** The same parameters with other equations; shares the arrays. */
    public LstmWeights withEquations(CellEquations equations) {
        return new LstmWeights(
                inputSize,
                hiddenSize,
                outputSize,
                input,
                recurrent,
                inputBias,
                recurrentBias,
                projection,
                peepholes,
                equations);
    }

    /** The same parameters with other peepholes {@code [3,H]}, or null for none; shares the arrays. */
    public LstmWeights withPeepholes(float[] peepholes) {
        return new LstmWeights(
                inputSize,
                hiddenSize,
                outputSize,
                input,
                recurrent,
                inputBias,
                recurrentBias,
                projection,
                peepholes,
                equations);
    }

    /** Whether the gates see the cell state. */
    public boolean hasPeepholes() {
        return peepholes != null;
    }

    /** Whether the hidden state is projected from {@code H} to {@code P} values. */
    public boolean hasProjection() {
        return projection != null;
    }

    /** {@code S [P,H]} where there is one. */
    public Optional<float[]> projectionWeights() {
        return Optional.ofNullable(projection);
    }

    /** The bias of the numerical contract, {@code [4H]}: one float addition of the two biases, +0 where there is none. A new array. */
    public float[] bias() {
        float[] sum = new float[GATES * hiddenSize];
        for (int k = 0; k < sum.length; k++) {
            if (inputBias != null && recurrentBias != null) {
                sum[k] = inputBias[k] + recurrentBias[k];
            } else if (inputBias != null) {
                sum[k] = inputBias[k];
            } else if (recurrentBias != null) {
                sum[k] = recurrentBias[k];
            }
        }
        return sum;
    }

    /** The number of trained values. */
    public long parameters() {
        long count = (long) input.length + recurrent.length;
        for (float[] optional : new float[][] {inputBias, recurrentBias, projection, peepholes}) {
            count += optional == null ? 0 : optional.length;
        }
        return count;
    }

    private static void positive(String what, int size) {
        if (size < 1) {
            throw new InvalidInputException(what + ": expected at least 1, found " + size);
        }
    }

    private static void length(String what, float[] array, long... shape) {
        long expected = Sizes.product(what, shape);
        if (array != null && array.length != expected) {
            throw new InvalidInputException(what + ": expected " + expected + " values, found " + array.length);
        }
    }
}

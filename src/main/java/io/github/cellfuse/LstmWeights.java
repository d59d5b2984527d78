package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.util.Objects;
import java.util.Optional;

/**
 * The parameters of one direction of one layer, in the canonical gate order <b>i, f, g, o</b> (input gate, forget gate,
 * candidate memory, output gate), which is also PyTorch's order. Readers of files convert other orders.
 *
 * <p>With {@code P = H} unless there is a projection:
 *
 * <pre>
 *   i = σ(W_i·x + R_i·h + b_i)      f = σ(W_f·x + R_f·h + b_f)
 *   g = tanh(W_g·x + R_g·h + b_g)   o = σ(W_o·x + R_o·h + b_o)
 *   c' = f⊙c + i⊙g                  h' = o⊙tanh(c')      (projected: h' = S·(o⊙tanh(c')))
 * </pre>
 *
 * <p>{@link CellEquations} select other functions, a clip or a coupled forget gate. Peepholes add {@code p_i⊙c},
 * {@code p_f⊙c} and {@code p_o⊙c'} to the arguments of i, f and o: the output gate sees the new cell state.
 *
 * <pre>{@code
 * LstmWeights weights = LstmWeights.builder(inputSize, hiddenSize)
 *         .input(w)               // W [4H,I], PyTorch's weight_ih
 *         .recurrent(r)           // R [4H,H], PyTorch's weight_hh
 *         .inputBias(bias)        // [4H], PyTorch's bias_ih
 *         .build();
 * }</pre>
 *
 * <p>The arrays are shared with the caller, not copied, because they may take gigabytes: don't change them afterwards.
 * The two biases stay separate, as they were trained; {@link #bias()} adds them. Two weights are equal only if they are
 * the same object. Immutable and safe to share between threads.
 */
public final class LstmWeights {
    /** The number of gates. */
    public static final int GATES = 4;

    /** The number of gates that may have peepholes: i, f and o. */
    public static final int PEEPHOLES = 3;

    /** Positions of the gates in every array that has a gate dimension. */
    public static final int INPUT_GATE = 0, FORGET_GATE = 1, CANDIDATE = 2, OUTPUT_GATE = 3;

    private final int inputSize, hiddenSize, outputSize;
    private final float[] input, recurrent;
    private final float[] inputBias, recurrentBias, projection, peepholes; // null: absent
    private final CellEquations equations;

    private LstmWeights(Builder b) {
        inputSize = positive("input size", b.inputSize);
        hiddenSize = positive("hidden size", b.hiddenSize);
        outputSize = positive("output size", b.outputSize);
        input = required("input weights [4H,I]", b.input, GATES, hiddenSize, inputSize);
        recurrent = required("recurrent weights [4H,P]", b.recurrent, GATES, hiddenSize, outputSize);
        inputBias = optional("input bias [4H]", b.inputBias, GATES, hiddenSize);
        recurrentBias = optional("recurrent bias [4H]", b.recurrentBias, GATES, hiddenSize);
        projection = optional("projection [P,H]", b.projection, outputSize, hiddenSize);
        peepholes = optional("peepholes [3,H]", b.peepholes, PEEPHOLES, hiddenSize);
        equations = b.equations;
    }

    /**
     * Starts the parameters of an ordinary LSTM: sigmoid gates and tanh, without biases, projection or peepholes.
     *
     * @param inputSize {@code I}, at least 1
     * @param hiddenSize {@code H}, at least 1
     */
    public static Builder builder(int inputSize, int hiddenSize) {
        return new Builder(inputSize, hiddenSize);
    }

    /** Returns a builder that starts from these parameters and shares their arrays. */
    public Builder toBuilder() {
        Builder builder = new Builder(inputSize, hiddenSize);
        builder.outputSize = outputSize;
        builder.input = input;
        builder.recurrent = recurrent;
        builder.inputBias = inputBias;
        builder.recurrentBias = recurrentBias;
        builder.projection = projection;
        builder.peepholes = peepholes;
        builder.equations = equations;
        return builder;
    }

    /** Collects the parameters. {@link #input} and {@link #recurrent} are required. Not thread safe. */
    public static final class Builder {
        private final int inputSize, hiddenSize;
        private int outputSize;
        private float[] input, recurrent, inputBias, recurrentBias, projection, peepholes;
        private CellEquations equations = CellEquations.ORDINARY;

        private Builder(int inputSize, int hiddenSize) {
            this.inputSize = inputSize;
            this.hiddenSize = hiddenSize;
            outputSize = hiddenSize;
        }

        /** Sets the input weights {@code W [4H,I]}, PyTorch's {@code weight_ih}. */
        public Builder input(float[] weights) {
            input = Objects.requireNonNull(weights, "input");
            return this;
        }

        /** Sets the recurrent weights {@code R [4H,P]}, PyTorch's {@code weight_hh}. */
        public Builder recurrent(float[] weights) {
            recurrent = Objects.requireNonNull(weights, "recurrent");
            return this;
        }

        /** Sets the bias {@code [4H]} of the input product, PyTorch's {@code bias_ih}. */
        public Builder inputBias(float[] bias) {
            inputBias = Objects.requireNonNull(bias, "inputBias");
            return this;
        }

        /** Sets the bias {@code [4H]} of the recurrent product, PyTorch's {@code bias_hh}. */
        public Builder recurrentBias(float[] bias) {
            recurrentBias = Objects.requireNonNull(bias, "recurrentBias");
            return this;
        }

        /**
         * Sets the projection {@code S [P,H]} of the hidden state, PyTorch's {@code weight_hr}.
         *
         * @param outputSize {@code P}, at least 1
         */
        public Builder projection(float[] weights, int outputSize) {
            projection = Objects.requireNonNull(weights, "projection");
            this.outputSize = outputSize;
            return this;
        }

        /** Sets the peepholes {@code p [3,H]} of the gates i, f and o, in this order. */
        public Builder peepholes(float[] weights) {
            peepholes = Objects.requireNonNull(weights, "peepholes");
            return this;
        }

        /** Sets the functions, the clip and the coupling of the gates. */
        public Builder equations(CellEquations equations) {
            this.equations = Objects.requireNonNull(equations, "equations");
            return this;
        }

        /**
         * Returns the parameters.
         *
         * @throws InvalidInputException if a size is less than 1, or an array is missing or doesn't have the size that
         *     its shape needs; the message names it
         */
        public LstmWeights build() {
            return new LstmWeights(this);
        }
    }

    /** Returns the same parameters with other equations; shares the arrays. */
    public LstmWeights withEquations(CellEquations equations) {
        return toBuilder().equations(equations).build();
    }

    /** Returns the same parameters with other peepholes {@code [3,H]}; shares the arrays. */
    public LstmWeights withPeepholes(float[] peepholes) {
        return toBuilder().peepholes(peepholes).build();
    }

    /** Returns {@code I}, the number of features per time step. */
    public int inputSize() {
        return inputSize;
    }

    /** Returns {@code H}, the size of the cell state. */
    public int hiddenSize() {
        return hiddenSize;
    }

    /** Returns {@code P}, the size of the hidden state: {@code H} without a projection. */
    public int outputSize() {
        return outputSize;
    }

    /** Returns the input weights {@code W [4H,I]}. */
    public float[] input() {
        return input;
    }

    /** Returns the recurrent weights {@code R [4H,P]}. */
    public float[] recurrent() {
        return recurrent;
    }

    /** Returns the bias {@code [4H]} of the input product, if there is one. */
    public Optional<float[]> inputBias() {
        return Optional.ofNullable(inputBias);
    }

    /** Returns the bias {@code [4H]} of the recurrent product, if there is one. */
    public Optional<float[]> recurrentBias() {
        return Optional.ofNullable(recurrentBias);
    }

    /** Returns the projection {@code S [P,H]}, if there is one. */
    public Optional<float[]> projection() {
        return Optional.ofNullable(projection);
    }

    /** Returns the peepholes {@code p [3,H]} of the gates i, f and o, if there are any. */
    public Optional<float[]> peepholes() {
        return Optional.ofNullable(peepholes);
    }

    /** Returns what turns pre-activations into the next states. */
    public CellEquations equations() {
        return equations;
    }

    /** Returns whether there is an input bias or a recurrent bias. */
    public boolean hasBias() {
        return inputBias != null || recurrentBias != null;
    }

    /** Returns whether the gates see the cell state. */
    public boolean hasPeepholes() {
        return peepholes != null;
    }

    /** Returns whether the hidden state is projected from {@code H} to {@code P} values. */
    public boolean hasProjection() {
        return projection != null;
    }

    /**
     * Returns the bias {@code [4H]} that the numerical contract defines, as a new array: the float32 sum of the two
     * biases, +0 if there are none.
     */
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

    /** Returns the number of trained values. */
    public long parameters() {
        long count = (long) input.length + recurrent.length;
        for (float[] optional : new float[][] {inputBias, recurrentBias, projection, peepholes}) {
            count += optional == null ? 0 : optional.length;
        }
        return count;
    }

    private static int positive(String what, int size) {
        if (size < 1) {
            throw new InvalidInputException(what + ": expected at least 1, found " + size);
        }
        return size;
    }

    private static float[] required(String what, float[] array, long... shape) {
        if (array == null) {
            throw new InvalidInputException(what + ": expected " + Sizes.product(what, shape) + " values, found none");
        }
        return optional(what, array, shape);
    }

    private static float[] optional(String what, float[] array, long... shape) {
        long expected = Sizes.product(what, shape);
        if (array != null && array.length != expected) {
            throw new InvalidInputException(what + ": expected " + expected + " values, found " + array.length);
        }
        return array;
    }
}

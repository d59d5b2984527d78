package io.github.cellfuse;

import java.util.List;
import java.util.Objects;

/**
 * One layer: its weights in each direction. Immutable and safe to share between threads.
 *
 * @param direction the direction in which it reads its sequences
 * @param weights {@code D} of the same sizes, the forward direction first
 */
public record LstmLayer(Direction direction, List<LstmWeights> weights) {
    public LstmLayer {
        Objects.requireNonNull(direction, "direction");
        weights = List.copyOf(weights);
        if (weights.size() != direction.count()) {
            throw new InvalidInputException(
                    "expected weights of " + direction.count() + " direction(s), found " + weights.size());
        }
        LstmWeights first = weights.get(0);
        for (LstmWeights w : weights) {
            same("input size", first.inputSize(), w.inputSize());
            same("hidden size", first.hiddenSize(), w.hiddenSize());
            same("output size", first.outputSize(), w.outputSize());
            if (first.hasProjection() != w.hasProjection() || first.hasPeepholes() != w.hasPeepholes()) {
                throw new InvalidInputException("expected a projection or peepholes in both directions or in none");
            }
        }
    }

    private static void same(String what, int expected, int found) {
        if (expected != found) {
            throw new InvalidInputException(what + ": expected " + expected + " in both directions, found " + found);
        }
    }

    /** Returns {@code D}, the number of directions: 1 or 2. */
    public int directionCount() {
        return direction.count();
    }

    /** Returns {@code I}, the number of features per time step. */
    public int inputSize() {
        return weights.get(0).inputSize();
    }

    /** Returns {@code H}, the size of a cell state. */
    public int hiddenSize() {
        return weights.get(0).hiddenSize();
    }

    /** Returns {@code P}, the size of one direction's hidden state; {@code H} without a projection. */
    public int stateSize() {
        return weights.get(0).outputSize();
    }

    /** Returns {@code D·P}, the number of output features per time step. */
    public int outputSize() {
        return directionCount() * stateSize();
    }

    /** Returns whether the hidden states are projected. */
    public boolean hasProjection() {
        return weights.get(0).hasProjection();
    }

    /** Returns whether the gates see the cell state. */
    public boolean hasPeepholes() {
        return weights.get(0).hasPeepholes();
    }

    /** Returns the number of trained values. */
    public long parameters() {
        return weights.stream().mapToLong(LstmWeights::parameters).sum();
    }

    /**
     * Returns the floating-point operations per row and time step: two for each multiply-add of the matrix products.
     */
    public long flopsPerStep() {
        long flops = 0;
        for (LstmWeights w : weights) {
            flops += 2L * LstmWeights.GATES * w.hiddenSize() * (w.inputSize() + w.outputSize());
            flops += w.hasProjection() ? 2L * w.outputSize() * w.hiddenSize() : 0;
        }
        return flops;
    }
}

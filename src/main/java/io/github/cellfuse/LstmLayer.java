package io.github.cellfuse;

import java.util.List;
import java.util.Objects;

/**
 * One layer: its weights in each direction. Immutable and safe to share between threads.
 *
 * @param direction which way it reads
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

    /** {@code D}: 1 or 2. */
    public int directionCount() {
        return direction.count();
    }

    /** {@code I}: features per time step. */
    public int inputSize() {
        return weights.get(0).inputSize();
    }

    /** {@code H}: the size of a cell state. */
    public int hiddenSize() {
        return weights.get(0).hiddenSize();
    }

    /** {@code P}: the size of one direction's hidden state; {@code H} without a projection. */
    public int stateSize() {
        return weights.get(0).outputSize();
    }

    /** {@code D·P}: features per time step of its output. */
    public int outputSize() {
        return directionCount() * stateSize();
    }

    /** Whether the hidden states are projected. */
    public boolean hasProjection() {
        return weights.get(0).hasProjection();
    }

    /** Whether the gates see the cell state. */
    public boolean hasPeepholes() {
        return weights.get(0).hasPeepholes();
    }

    /** The number of trained values. */
    public long parameters() {
        return weights.stream().mapToLong(LstmWeights::parameters).sum();
    }

    /** Floating-point operations per row and time step: two for each multiply-add of the matrix products. */
    public long flopsPerStep() {
        long flops = 0;
        for (LstmWeights w : weights) {
            flops += 2L * LstmWeights.GATES * w.hiddenSize() * (w.inputSize() + w.outputSize());
            flops += w.hasProjection() ? 2L * w.outputSize() * w.hiddenSize() : 0;
        }
        return flops;
    }
}

package io.github.cellfuse;

import java.util.List;

/**
 * A trained LSTM as {@code torch.nn.LSTM} defines it: {@code L} stacked layers of one hidden size, each in one or two
 * directions, each layer reading the (concatenated) outputs of the one below. Immutable and safe to share between threads.
 *
 * @param direction the direction of every layer
 * @param layers for each layer its weights by direction: {@code L} lists of {@code D}, the forward direction first
 */
public record LstmModel(Direction direction, List<List<LstmWeights>> layers) {

    public LstmModel {
        layers = layers.stream().map(List::copyOf).toList();
        if (layers.isEmpty()) {
            throw new InvalidInputException("layers: expected at least 1, found 0");
        }
        LstmWeights first = null;
        for (int layer = 0; layer < layers.size(); layer++) {
            List<LstmWeights> directions = layers.get(layer);
            if (directions.size() != direction.count()) {
                throw new InvalidInputException("layer " + layer + ": expected weights of " + direction.count()
                        + " direction(s), found " + directions.size());
            }
            for (LstmWeights weights : directions) {
                if (first == null) {
                    first = weights;
                }
                int expectedInput = layer == 0 ? first.inputSize() : direction.count() * first.outputSize();
                same(layer, "input size", expectedInput, weights.inputSize());
                same(layer, "hidden size", first.hiddenSize(), weights.hiddenSize());
                same(layer, "output size", first.outputSize(), weights.outputSize());
            }
        }
    }

    private static void same(int layer, String what, int expected, int found) {
        if (expected != found) {
            throw new InvalidInputException(
                    "layer " + layer + ", " + what + ": expected " + expected + ", found " + found);
        }
    }

    /** The weights of one direction of one layer. */
    public LstmWeights weights(int layer, int direction) {
        return layers.get(layer).get(direction);
    }

    /** {@code L}. */
    public int layerCount() {
        return layers.size();
    }

    /** {@code D}: 1 or 2. */
    public int directionCount() {
        return direction.count();
    }

    /** {@code I}: features per time step of the input. */
    public int inputSize() {
        return weights(0, 0).inputSize();
    }

    /** {@code H}: the size of a cell state. */
    public int hiddenSize() {
        return weights(0, 0).hiddenSize();
    }

    /** {@code P}: the size of one direction's hidden state; {@code H} without a projection. */
    public int stateSize() {
        return weights(0, 0).outputSize();
    }

    /** {@code D·P}: features per time step of the output. */
    public int outputSize() {
        return directionCount() * stateSize();
    }

    /** Whether the hidden states are projected. */
    public boolean hasProjection() {
        return weights(0, 0).hasProjection();
    }

    /** Layer {@code layer} alone, as a model of one layer: shares the weights. */
    public LstmModel layer(int layer) {
        return new LstmModel(direction, List.of(layers.get(layer)));
    }

    /** The number of trained values. */
    public long parameters() {
        return layers.stream()
                .flatMap(List::stream)
                .mapToLong(LstmWeights::parameters)
                .sum();
    }

    /** Floating-point operations per row and time step: two for each multiply-add of the matrix products. */
    public long flopsPerStep() {
        long flops = 0;
        for (List<LstmWeights> layer : layers) {
            for (LstmWeights w : layer) {
                flops += 2L * LstmWeights.GATES * w.hiddenSize() * (w.inputSize() + w.outputSize());
                flops += w.hasProjection() ? 2L * w.outputSize() * w.hiddenSize() : 0;
            }
        }
        return flops;
    }
}

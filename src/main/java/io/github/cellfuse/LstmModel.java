package io.github.cellfuse;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A trained LSTM: {@code L} stacked layers, each of which reads the (concatenated) outputs of the layer below. Layers
 * may differ in size, direction and equations. A model of {@code torch.nn.LSTM} {@linkplain #isUniform() is uniform}:
 * its layers don't differ. Immutable and safe to share between threads.
 *
 * @param layers the {@code L} layers, the lowest first
 */
public record LstmModel(List<LstmLayer> layers) {

    public LstmModel {
        layers = List.copyOf(layers);
        if (layers.isEmpty()) {
            throw new InvalidInputException("layers: expected at least 1, found 0");
        }
        for (int layer = 1; layer < layers.size(); layer++) {
            int expected = layers.get(layer - 1).outputSize(),
                    found = layers.get(layer).inputSize();
            if (expected != found) {
                throw new InvalidInputException(
                        "layer " + layer + ", input size: expected " + expected + ", found " + found);
            }
        }
    }

    /**
     * Creates a model whose layers all run in the same direction.
     *
     * @param layers for each layer its weights by direction: {@code L} lists of {@code D}, the forward direction first
     */
    public LstmModel(Direction direction, List<List<LstmWeights>> layers) {
        this(IntStream.range(0, layers.size())
                .mapToObj(layer -> layer(layer, direction, layers.get(layer)))
                .toList());
    }

    private static LstmLayer layer(int layer, Direction direction, List<LstmWeights> weights) {
        try {
            return new LstmLayer(direction, weights);
        } catch (InvalidInputException e) {
            throw new InvalidInputException("layer " + layer + ", " + e.getMessage(), e);
        }
    }

    /** Returns the weights of one direction of one layer. */
    public LstmWeights weights(int layer, int direction) {
        return layers.get(layer).weights().get(direction);
    }

    /** Returns the layer at index {@code layer}; the lowest layer is 0. */
    public LstmLayer layer(int layer) {
        return layers.get(layer);
    }

    /** Returns {@code L}, the number of layers. */
    public int layerCount() {
        return layers.size();
    }

    /** Returns {@code I}, the number of input features per time step. */
    public int inputSize() {
        return layers.get(0).inputSize();
    }

    /** Returns {@code D·P} of the last layer, the number of output features per time step. */
    public int outputSize() {
        return last().outputSize();
    }

    /** Returns the largest {@code D·P} of all layers. */
    public int widestOutput() {
        return layers.stream().mapToInt(LstmLayer::outputSize).max().orElseThrow();
    }

    /** Returns the last layer. */
    public LstmLayer last() {
        return layers.get(layers.size() - 1);
    }

    /** Returns whether all layers have the same direction, hidden size and output size, as in {@code torch.nn.LSTM}. */
    public boolean isUniform() {
        LstmLayer first = layers.get(0);
        return layers.stream()
                .allMatch(layer -> layer.direction() == first.direction()
                        && layer.hiddenSize() == first.hiddenSize()
                        && layer.stateSize() == first.stateSize());
    }

    /**
     * Returns whether every cell is one that {@code torch.nn.LSTM} computes: no peepholes, and the
     * {@linkplain CellEquations#ORDINARY ordinary} equations.
     */
    public boolean isOrdinary() {
        return layers.stream()
                .flatMap(layer -> layer.weights().stream())
                .allMatch(w -> w.equations().isOrdinary() && !w.hasPeepholes());
    }

    /**
     * Returns the number of hidden-state values per row in the layers below {@code layer}: the sum of their
     * {@code D·P}. With {@link #layerCount()} as argument, this counts all layers.
     */
    public long hiddenValuesBelow(int layer) {
        return layers.subList(0, layer).stream()
                .mapToLong(LstmLayer::outputSize)
                .sum();
    }

    /**
     * Returns the number of cell-state values per row in the layers below {@code layer}: the sum of their {@code D·H}.
     * With {@link #layerCount()} as argument, this counts all layers.
     */
    public long cellValuesBelow(int layer) {
        return layers.subList(0, layer).stream()
                .mapToLong(below -> (long) below.directionCount() * below.hiddenSize())
                .sum();
    }

    /** Returns the size {@code P} of each hidden state, {@code [L·D]}, in the order of {@link LstmState}. */
    public int[] hiddenWidths() {
        return layers.stream()
                .flatMapToInt(layer -> layer.weights().stream().mapToInt(LstmWeights::outputSize))
                .toArray();
    }

    /** Returns the size {@code H} of each cell state, {@code [L·D]}, in the order of {@link LstmState}. */
    public int[] cellWidths() {
        return layers.stream()
                .flatMapToInt(layer -> layer.weights().stream().mapToInt(LstmWeights::hiddenSize))
                .toArray();
    }

    /** Returns a model of layer {@code layer} alone, which shares its weights. */
    public LstmModel only(int layer) {
        return new LstmModel(List.of(layers.get(layer)));
    }

    /** Returns the number of trained values. */
    public long parameters() {
        return layers.stream().mapToLong(LstmLayer::parameters).sum();
    }

    /**
     * Returns the floating-point operations per row and time step: two for each multiply-add of the matrix products.
     */
    public long flopsPerStep() {
        return layers.stream().mapToLong(LstmLayer::flopsPerStep).sum();
    }
}

package io.github.cellfuse;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A trained LSTM: {@code L} stacked layers, each reading the (concatenated) outputs of the one below. Layers may differ in size,
 * direction and equations; those of {@code torch.nn.LSTM} don't, and such a model {@linkplain #isUniform() is uniform}. Immutable and
 * safe to share between threads.
 *
 * @param layers {@code L} of them, the lowest first
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
     * A model whose layers all run in the same direction.
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

    /** The weights of one direction of one layer. */
    public LstmWeights weights(int layer, int direction) {
        return layers.get(layer).weights().get(direction);
    }

    /** The layer at index {@code layer}, the lowest being 0. */
    public LstmLayer layer(int layer) {
        return layers.get(layer);
    }

    /** {@code L}. */
    public int layerCount() {
        return layers.size();
    }

    /** {@code I}: features per time step of the input. */
    public int inputSize() {
        return layers.get(0).inputSize();
    }

    /** {@code D·P} of the last layer: features per time step of the output. */
    public int outputSize() {
        return last().outputSize();
    }

    /** The largest {@code D·P} of a layer. */
    public int widestOutput() {
        return layers.stream().mapToInt(LstmLayer::outputSize).max().orElseThrow();
    }

    /** The layer on top. */
    public LstmLayer last() {
        return layers.get(layers.size() - 1);
    }

    /** Whether all layers have the same direction, hidden size and output size, as those of {@code torch.nn.LSTM} have. */
    public boolean isUniform() {
        LstmLayer first = layers.get(0);
        return layers.stream()
                .allMatch(layer -> layer.direction() == first.direction()
                        && layer.hiddenSize() == first.hiddenSize()
                        && layer.stateSize() == first.stateSize());
    }

    /** Whether this is what {@code torch.nn.LSTM} computes: no peepholes, and the {@linkplain CellEquations#ORDINARY ordinary} equations. */
    public boolean isOrdinary() {
        return layers.stream()
                .flatMap(layer -> layer.weights().stream())
                .allMatch(w -> w.equations().isOrdinary() && !w.hasPeepholes());
    }

    /** Values of a row's hidden states below layer {@code layer}: the sum of their {@code D·P}. With {@link #layerCount()}: of all. */
    public long hiddenValuesBelow(int layer) {
        return layers.subList(0, layer).stream()
                .mapToLong(LstmLayer::outputSize)
                .sum();
    }

    /** Values of a row's cell states below layer {@code layer}: the sum of their {@code D·H}. With {@link #layerCount()}: of all. */
    public long cellValuesBelow(int layer) {
        return layers.subList(0, layer).stream()
                .mapToLong(below -> (long) below.directionCount() * below.hiddenSize())
                .sum();
    }

    /** {@code [L·D]} the size {@code P} of each hidden state, in the order of {@link LstmState}. */
    public int[] hiddenWidths() {
        return layers.stream()
                .flatMapToInt(layer -> layer.weights().stream().mapToInt(LstmWeights::outputSize))
                .toArray();
    }

    /** {@code [L·D]} the size {@code H} of each cell state, in the order of {@link LstmState}. */
    public int[] cellWidths() {
        return layers.stream()
                .flatMapToInt(layer -> layer.weights().stream().mapToInt(LstmWeights::hiddenSize))
                .toArray();
    }

    /** Layer {@code layer} alone, as a model of one layer: shares the weights. */
    public LstmModel only(int layer) {
        return new LstmModel(List.of(layers.get(layer)));
    }

    /** The number of trained values. */
    public long parameters() {
        return layers.stream().mapToLong(LstmLayer::parameters).sum();
    }

    /** Floating-point operations per row and time step: two for each multiply-add of the matrix products. */
    public long flopsPerStep() {
        return layers.stream().mapToLong(LstmLayer::flopsPerStep).sum();
    }
}

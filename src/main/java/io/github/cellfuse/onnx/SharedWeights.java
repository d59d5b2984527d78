package io.github.cellfuse.onnx;

import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The weights of a graph's LSTMs in CellFuse's order. Nodes with the same constants share them: a node takes a hundred
 * bytes in a file, and its weights may take megabytes. Not thread safe.
 */
final class SharedWeights {
    /** The identity of a constant: copies of a tensor under other names share the memory of its values. */
    private record Source(Object values, List<Long> dims) {
        static Source of(TensorProto tensor) {
            Object values = !tensor.getRawData().isEmpty()
                    ? tensor.getRawData()
                    : tensor.getFloatDataCount() > 0 ? tensor.getFloatDataList() : tensor;
            return new Source(values, tensor.getDimsList());
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Source source && source.values == values && source.dims.equals(dims);
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(values);
        }
    }

    /** A piece of a constant: those of a direction and of a kind of weights. */
    private record Piece(Source source, int type, String kind, int first) {}

    /** What decides a layer. */
    private record LayerKey(
            Direction direction, List<CellEquations> equations, List<Optional<Source>> sources, int type) {}

    private final Map<Piece, float[]> arrays = new HashMap<>();
    private final Map<LayerKey, LstmLayer> layers = new HashMap<>();

    /**
     * Returns the layer with these attributes and constants.
     *
     * @param constants W, R, B and P
     * @param reader reads the layer unless another node has read it
     */
    LstmLayer layer(LstmAttributes attributes, List<Optional<TensorProto>> constants, Supplier<LstmLayer> reader) {
        int type = constants.get(0).map(TensorProto::getDataType).orElse(0);
        LayerKey key = new LayerKey(
                attributes.direction(),
                attributes.equations(),
                constants.stream().map(one -> one.map(Source::of)).toList(),
                type);
        LstmLayer known = layers.get(key);
        if (known == null) {
            known = reader.get();
            layers.put(key, known);
        }
        return known;
    }

    /**
     * Returns a part of a constant in CellFuse's order.
     *
     * @param kind W, R, B or P
     * @param first the index of the part's first value in the constant
     * @param reader reads the part unless another node has read it
     */
    float[] array(TensorProto tensor, String kind, int first, Supplier<float[]> reader) {
        Piece piece = new Piece(Source.of(tensor), tensor.getDataType(), kind, first);
        return arrays.computeIfAbsent(piece, p -> reader.get());
    }
}

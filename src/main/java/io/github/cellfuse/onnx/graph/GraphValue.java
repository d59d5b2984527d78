package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * An input or output of a graph, as the model declares it.
 *
 * @param name its name
 * @param type the type of its elements; none for what {@link Tensor} can't hold, such as strings
 * @param typeName the type in words
 * @param dimensions its dimensions; none where the model doesn't say how many there are
 */
public record GraphValue(
        String name, Optional<ElementType> type, String typeName, Optional<List<Dimension>> dimensions) {

    /**
     * A dimension: of a fixed size, of one that a name stands for, or of any size.
     *
     * @param size the size, or -1
     * @param symbol the name that stands for the size, or an empty one
     */
    public record Dimension(long size, String symbol) {
        /** Whether the size is fixed. */
        public boolean isFixed() {
            return size >= 0;
        }

        /** Returns whether it is the one that {@code symbol} stands for. */
        boolean is(String symbol) {
            return !isFixed() && !symbol.isEmpty() && this.symbol.equals(symbol);
        }

        @Override
        public String toString() {
            return isFixed() ? Long.toString(size) : symbol.isEmpty() ? "?" : symbol;
        }
    }

    public GraphValue {
        dimensions = dimensions.map(List::copyOf);
    }

    static GraphValue of(ValueInfoProto value) {
        TypeProto type = value.getType();
        Optional<List<Dimension>> dimensions = type.getTensorType().hasShape()
                ? Optional.of(type.getTensorType().getShape().getDimList().stream()
                        .map(GraphValue::dimension)
                        .toList())
                : Optional.empty();
        Optional<ElementType> element =
                type.hasTensorType() ? OnnxTypes.ofCode(type.getTensorType().getElemType()) : Optional.empty();
        return new GraphValue(value.getName(), element, OnnxTypes.describe(type), dimensions);
    }

    private static Dimension dimension(TensorShapeProto.Dimension dimension) {
        boolean isFixed = dimension.hasDimValue() && dimension.getDimValue() >= 0;
        return isFixed ? new Dimension(dimension.getDimValue(), "") : new Dimension(-1, dimension.getDimParam());
    }

    /** Refuses a tensor that can't be this value. */
    void check(Object file, Tensor tensor) {
        boolean fits = type.filter(tensor.type()::equals).isPresent() && accepts(tensor.shape());
        if (!fits) {
            throw new InvalidInputException(
                    file + ": input '" + name + "': expected " + describe() + ", found " + tensor);
        }
    }

    /** Returns whether a tensor of this shape can be this value. */
    public boolean accepts(long... shape) {
        return dimensions.map(all -> fits(all, shape)).orElse(true);
    }

    private static boolean fits(List<Dimension> dimensions, long[] shape) {
        if (dimensions.size() != shape.length) {
            return false;
        }
        for (int axis = 0; axis < shape.length; axis++) {
            Dimension dimension = dimensions.get(axis);
            if (dimension.isFixed() && dimension.size() != shape[axis]) {
                return false;
            }
        }
        return true;
    }

    /** Adds the sizes that the names of its dimensions stand for in {@code shape}; the first to tell counts. */
    void bind(long[] shape, Map<String, Long> symbols) {
        dimensions.ifPresent(all -> {
            for (int axis = 0; axis < Math.min(all.size(), shape.length); axis++) {
                Dimension dimension = all.get(axis);
                if (!dimension.isFixed() && !dimension.symbol().isEmpty()) {
                    symbols.putIfAbsent(dimension.symbol(), shape[axis]);
                }
            }
        });
    }

    /** Returns the axis whose size {@code symbol} stands for; none where there isn't one, or several. */
    public Optional<Integer> axis(String symbol) {
        Integer found = null;
        List<Dimension> all = dimensions.orElse(List.of());
        for (int axis = 0; axis < all.size(); axis++) {
            if (all.get(axis).is(symbol)) {
                if (found != null) {
                    return Optional.empty();
                }
                found = axis;
            }
        }
        return Optional.ofNullable(found);
    }

    /** {@code float32 [batch, 512]}; {@code float32 of any shape}. */
    public String describe() {
        return typeName
                + dimensions
                        .map(all -> all.stream().map(Dimension::toString).collect(Collectors.joining(", ", " [", "]")))
                        .orElse(" of any shape");
    }
}

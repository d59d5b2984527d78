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
 * An input or output of a graph, as the model declares it. Immutable and thread safe.
 *
 * @param name its name
 * @param type the element type; empty for types that {@link Tensor} can't hold, such as strings
 * @param typeName the type in words
 * @param dimensions its dimensions; empty if the model doesn't declare how many there are
 */
public record GraphValue(
        String name, Optional<ElementType> type, String typeName, Optional<List<Dimension>> dimensions) {

    /**
     * A dimension with a fixed size, a symbolic size, or any size.
     *
     * @param size the size, or -1 if it isn't fixed
     * @param symbol the symbolic name of the size, or an empty string
     */
    public record Dimension(long size, String symbol) {
        /** Returns whether the size is fixed. */
        public boolean isFixed() {
            return size >= 0;
        }

        /** Returns whether the size is the symbolic size {@code symbol}. */
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
        // Some exporters write "?" for each unknown size, which doesn't say that these are the same.
        String symbol = dimension.getDimParam().equals("?") ? "" : dimension.getDimParam();
        return isFixed ? new Dimension(dimension.getDimValue(), "") : new Dimension(-1, symbol);
    }

    /** Throws if a tensor can't be this value. */
    void check(Object file, Tensor tensor) {
        boolean fits = type.filter(tensor.type()::equals).isPresent() && accepts(tensor.shape());
        if (!fits) {
            throw new InvalidInputException(
                    file + ": input '" + name + "': expected " + describe() + ", found " + tensor);
        }
    }

    /** Returns whether a tensor of this shape can be this value; -1 is a dimension of any size. */
    public boolean accepts(long... shape) {
        return dimensions.map(all -> fits(all, shape)).orElse(true);
    }

    private static boolean fits(List<Dimension> dimensions, long[] shape) {
        if (dimensions.size() != shape.length) {
            return false;
        }
        for (int axis = 0; axis < shape.length; axis++) {
            Dimension dimension = dimensions.get(axis);
            if (dimension.isFixed() && shape[axis] >= 0 && dimension.size() != shape[axis]) {
                return false;
            }
        }
        return true;
    }

    /** Adds the sizes that the symbolic dimensions have in {@code shape}, unless {@code symbols} already has them. */
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

    /** Returns the axis whose size is {@code symbol}, or nothing if there is no such axis or several. */
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

    /**
     * Returns whether a run can take this value as an input: a tensor of numbers, but not of uint16, uint32 or uint64,
     * which ONNX Runtime's Java binding doesn't make.
     */
    public boolean canBeInput() {
        return type.filter(OnnxTypes::canMake).isPresent();
    }

    /** Returns whether a run can return this value: a tensor of numbers. */
    public boolean canBeOutput() {
        return type.isPresent();
    }

    /**
     * Returns the type and shape in words, such as {@code float32 [batch, 512]}, {@code float32 of any shape} or
     * {@code sequence}.
     */
    public String describe() {
        if (!OnnxTypes.isTensor(typeName)) {
            return typeName;
        }
        return typeName
                + dimensions
                        .map(all -> all.stream().map(Dimension::toString).collect(Collectors.joining(", ", " [", "]")))
                        .orElse(" of any shape");
    }
}

package io.github.cellfuse.onnx.shape;

import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The rules of operators that work element by element. */
final class ElementRules {
    /** The first opset version in which arithmetic broadcasts like NumPy. */
    private static final long NUMPY_BROADCASTING = 7;

    /** The first opset version in which Cast has the number of a type; before, it had a name. */
    private static final long CAST_BY_NUMBER = 6;

    private ElementRules() {}

    /** One input, an output of the same shape. Other inputs, such as the limits of Clip, don't hold rows. */
    static List<TensorFacts> unary(Operation op) {
        for (int k = 1; k < op.inputCount(); k++) {
            op.expectNoRows("parameters", k);
        }
        return List.of(op.input(0).withoutElements());
    }

    static List<TensorFacts> identity(Operation op) {
        return List.of(op.input(0));
    }

    /** Floor and Ceil, which keep whole numbers. */
    static List<TensorFacts> round(Operation op) {
        return List.of(rounded(op));
    }

    /** Returns the facts of input 0 with its fractions rounded in some way: {@code rows / 2} may be one. */
    private static TensorFacts rounded(Operation op) {
        TensorFacts input = op.input(0);
        return input.elements()
                .map(all -> all.stream()
                        .map(e -> e.isWhole() ? e : op.unknownNumber(List.of(e)))
                        .toList())
                .map(input::withElements)
                .orElse(input);
    }

    /** Cast to a type that holds the sizes of tensors exactly. Elements of other types aren't followed. */
    static List<TensorFacts> cast(Operation op) {
        TensorFacts input = op.input(0);
        if (input.elements().isEmpty()) {
            return List.of(input);
        }
        if (op.opset() < CAST_BY_NUMBER) {
            return List.of(input.withoutElements());
        }
        List<Size> elements = input.elements().get();
        return switch ((int) op.node().integer("to", 0)) {
            case DataType.INT64_VALUE -> List.of(rounded(op));
            case DataType.INT32_VALUE ->
                List.of(elements.stream().allMatch(ElementRules::isInt) ? rounded(op) : input.withoutElements());
            case DataType.FLOAT_VALUE, DataType.DOUBLE_VALUE ->
                List.of(elements.stream().allMatch(ElementRules::isFloat) ? input : input.withoutElements());
            case DataType.BOOL_VALUE ->
                List.of(input.withElements(
                        elements.stream().map(e -> flag(op, e)).toList()));
            default -> List.of(input.withoutElements());
        };
    }

    private static boolean isInt(Size element) {
        long number = element.fixed().orElse(0);
        return number == (int) number;
    }

    private static boolean isFloat(Size element) {
        long number = element.fixed().orElse(0);
        return Math.abs(number) <= ConstantFacts.LARGEST_WHOLE;
    }

    private static Size flag(Operation op, Size element) {
        return element.fixed().isPresent() ? Size.of(element.is(0) ? 0 : 1) : op.unknownNumber(List.of(element));
    }

    /** Dropout in inference mode. */
    static List<TensorFacts> dropout(Operation op) {
        boolean isTraining = op.opset() < 7
                ? op.node().integer("is_test", 0) == 0
                : op.has(2)
                        && op.numbers(2).filter(v -> v.length == 1 && v[0] == 0).isEmpty();
        if (isTraining) {
            // Even of a constant: each piece of a batch would have another result.
            return List.of(
                    TensorFacts.ended(op.ended("drops elements at random").end()));
        }
        return List.of(op.input(0));
    }

    /** Operators with NumPy's broadcasting, such as Add, Where and Max. */
    static List<TensorFacts> broadcast(Operation op) {
        if (op.opset() < NUMPY_BROADCASTING && op.inputCount() > 1 && op.node().integer("broadcast", 0) != 0) {
            throw op.ended("broadcasts by the rules before opset " + NUMPY_BROADCASTING);
        }
        List<Integer> inputs = new ArrayList<>();
        for (int k = 0; k < op.inputCount(); k++) {
            if (op.has(k)) {
                inputs.add(k);
            }
        }
        Optional<TensorFacts> shape = broadcast(op, inputs);
        if (shape.isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        return List.of(elements(op, inputs).map(shape.get()::withElements).orElse(shape.get()));
    }

    /**
     * Returns the shape of some inputs broadcast together, and its rows; nothing if a shape is unknown. At the axis of
     * the rows, each input must hold the same rows or have a literal 1, which serves all rows. A symbolic size won't
     * do: it may be the number of rows in one run and 1 in the next.
     */
    static Optional<TensorFacts> broadcast(Operation op, List<Integer> inputs) {
        int rank = 0;
        for (int k : inputs) {
            if (op.dims(k).isEmpty()) {
                if (op.hasRows()) {
                    throw op.lacking(k);
                }
                return Optional.empty();
            }
            rank = Math.max(rank, op.known(k).size());
        }
        List<Size> dims = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            dims.add(joined(op, inputs, rank, axis));
        }
        Optional<RowAxis> rows = Optional.empty();
        for (int k : inputs) {
            if (op.rows(k).isPresent()) {
                RowAxis own = op.rows(k).get();
                own = own.movedTo(own.axis() + rank - op.known(k).size());
                if (rows.isPresent() && !rows.get().equals(own)) {
                    throw op.ended("combines rows in one axis with rows in another");
                }
                rows = Optional.of(own);
            }
        }
        if (rows.isPresent()) {
            int axis = rows.get().axis();
            for (int k : inputs) {
                int own = axis - rank + op.known(k).size();
                if (op.rows(k).isEmpty() && own >= 0 && !op.known(k).get(own).is(1)) {
                    throw op.lacking(k);
                }
            }
        }
        return Optional.of(TensorFacts.of(dims).withRows(rows));
    }

    private static Size joined(Operation op, List<Integer> inputs, int rank, int axis) {
        List<Size> sizes = new ArrayList<>();
        for (int k : inputs) {
            int own = axis - rank + op.known(k).size();
            if (own >= 0) {
                sizes.add(op.known(k).get(own));
            }
        }
        return joined(op, sizes);
    }

    /** Returns the size of an axis at which values of these sizes are broadcast together. */
    static Size joined(Operation op, List<Size> all) {
        List<Size> sizes = all.stream().filter(size -> !size.is(1)).toList();
        if (sizes.isEmpty()) {
            return Size.ONE;
        }
        Optional<Size> fixed = sizes.stream().filter(s -> s.fixed().isPresent()).findFirst();
        boolean areSame = sizes.stream().distinct().count() == 1;
        return areSame ? sizes.get(0) : fixed.orElseGet(() -> op.unknown(sizes));
    }

    /** Returns the elements of an operation on whole numbers. */
    private static Optional<List<Size>> elements(Operation op, List<Integer> inputs) {
        int count = 1;
        for (int k : inputs) {
            Optional<List<Size>> elements = op.input(k).elements();
            // Along several axes, equally many elements need not belong together: [2,1] and [1,2] make [2,2].
            boolean isVector = op.known(k).stream()
                    .limit(Math.max(0, op.known(k).size() - 1))
                    .allMatch(size -> size.is(1));
            if (elements.isEmpty() || !isVector) {
                return Optional.empty();
            }
            int size = elements.get().size();
            if (size != 1 && count != 1 && size != count) {
                return Optional.empty();
            }
            count = size == 1 ? count : size;
        }
        List<Size> results = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            List<Size> operands = new ArrayList<>();
            for (int k : inputs) {
                List<Size> elements = op.input(k).elements().get();
                operands.add(elements.get(elements.size() == 1 ? 0 : e));
            }
            results.add(new SizeArithmetic(op.rowCount())
                    .apply(op.operator(), operands)
                    .orElseGet(() -> op.unknownNumber(operands)));
        }
        return Optional.of(results);
    }

    /** PRelu: the slope is broadcast to the first input. */
    static List<TensorFacts> slope(Operation op) {
        if (op.hasRows() && op.opset() < NUMPY_BROADCASTING) {
            throw op.ended("broadcasts by the rules before opset " + NUMPY_BROADCASTING);
        }
        return List.of(broadcast(op, List.of(0, 1)).orElse(TensorFacts.UNKNOWN));
    }

    /**
     * QuantizeLinear and DequantizeLinear: one scale for the whole tensor, or one for each index of an axis, which
     * isn't that of the rows.
     */
    static List<TensorFacts> quantize(Operation op) {
        op.expectNoRows("scale", 1, 2);
        TensorFacts input = op.input(0);
        if (input.rows().isPresent()) {
            int rank = op.known(0).size();
            boolean isSingle = op.dims(1)
                    .filter(dims -> dims.stream().allMatch(d -> d.is(1)))
                    .isPresent();
            boolean isByAxis = op.dims(1).filter(dims -> dims.size() == 1).isPresent()
                    && op.node().integer("block_size", 0) == 0;
            boolean isOther = isByAxis
                    && op.axis(op.node().integer("axis", 1), rank)
                            != input.rows().get().axis();
            if (!isSingle && !isOther) {
                throw op.ended("scales each row by a number of its own");
            }
        }
        return List.of(input.withoutElements());
    }
}

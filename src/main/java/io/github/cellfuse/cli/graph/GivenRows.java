package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.shape.RowAxes;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code --rows}: the axes that hold the rows by the user's word, where there is no proof that rows are independent.
 */
final class GivenRows {
    private GivenRows() {}

    /** Parses arguments of the form {@code NAME=AXIS,NAME=AXIS}. */
    static Map<String, Integer> parse(List<String> arguments) {
        Map<String, Integer> axes = new LinkedHashMap<>();
        for (String argument : arguments) {
            for (String part : argument.split(",", -1)) {
                int equals = part.lastIndexOf('=');
                String number = part.substring(equals + 1);
                if (equals < 1 || !number.matches("-?\\d{1,3}")) {
                    throw new InvalidInputException(
                            "--rows: expected NAME=AXIS[,NAME=AXIS...], found '" + argument + "'");
                }
                if (axes.put(part.substring(0, equals), Integer.parseInt(number)) != null) {
                    throw new InvalidInputException("--rows given twice for " + part.substring(0, equals));
                }
            }
        }
        return axes;
    }

    /**
     * Returns the axes of all values. An input or output that isn't named holds the rows along the axis whose symbolic
     * size is that of a named input's axis. An input without such an axis doesn't hold rows.
     *
     * @param given the axes by name; other names than those of the model's inputs and outputs are ignored
     * @param outputs the outputs that a run writes or passes on
     */
    static RowAxes of(OnnxModel model, Map<String, Integer> given, List<GraphValue> outputs) {
        Map<String, Integer> inputAxes = new LinkedHashMap<>(), outputAxes = new LinkedHashMap<>();
        Set<String> symbols = new LinkedHashSet<>();
        given.forEach((name, axis) -> {
            Optional<GraphValue> input = named(model.inputs(), name), output = named(model.outputs(), name);
            input.ifPresent(value -> {
                inputAxes.put(name, axis(value, axis));
                symbol(value, axis(value, axis)).ifPresent(symbols::add);
            });
            output.ifPresent(value -> outputAxes.put(name, axis(value, axis)));
        });
        for (GraphValue input : model.inputs()) {
            axis(input, symbols).ifPresent(axis -> inputAxes.putIfAbsent(input.name(), axis));
        }
        for (GraphValue output : outputs) {
            if (!outputAxes.containsKey(output.name())) {
                int axis = axis(output, symbols)
                        .orElseThrow(() -> new InvalidInputException("--rows: expected the axis of output '"
                                + output.name() + "', " + output.describe() + ", as well: --rows " + output.name()
                                + "=AXIS"));
                outputAxes.put(output.name(), axis);
            }
        }
        return new RowAxes(inputAxes, outputAxes, 1);
    }

    private static Optional<GraphValue> named(List<GraphValue> values, String name) {
        return values.stream().filter(value -> value.name().equals(name)).findFirst();
    }

    private static Optional<Integer> axis(GraphValue value, Set<String> symbols) {
        return symbols.stream().flatMap(symbol -> value.axis(symbol).stream()).findFirst();
    }

    private static int axis(GraphValue value, int axis) {
        int rank = value.dimensions().map(List::size).orElse(Integer.MAX_VALUE);
        int index = axis < 0 ? axis + rank : axis;
        if (index < 0 || index >= rank) {
            throw new InvalidInputException(
                    "--rows: expected an axis of '" + value.name() + "', " + value.describe() + ", found " + axis);
        }
        return index;
    }

    private static Optional<String> symbol(GraphValue value, int axis) {
        return value.dimensions()
                .map(all -> all.get(axis).symbol())
                .filter(symbol -> value.axis(symbol).isPresent()); // a name of two axes doesn't tell which is meant
    }
}

package io.github.cellfuse.cli.graph;

import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds the dimension of a graph that counts rows. Rows don't depend on each other, so a large batch can be split along
 * this dimension. Only the dimension's name identifies it.
 */
final class RowSymbol {
    private static final Pattern NAME = Pattern.compile("(?i).*batch.*|n|b|bs|rows?|streams?");

    private RowSymbol() {}

    /**
     * Returns the name of the dimension.
     *
     * @param outputs the wanted outputs; all of them, and at least one input, must have the dimension
     */
    static Optional<String> of(OnnxModel model, List<GraphValue> outputs) {
        Set<String> candidates = new LinkedHashSet<>();
        for (GraphValue input : model.inputs()) {
            for (GraphValue.Dimension dimension : input.dimensions().orElse(List.of())) {
                if (!dimension.isFixed() && NAME.matcher(dimension.symbol()).matches()) {
                    candidates.add(dimension.symbol());
                }
            }
        }
        return candidates.stream()
                .filter(symbol -> isOnce(symbol, model.inputs(), true) && isOnce(symbol, outputs, false))
                .findFirst();
    }

    /** Returns whether every value has the dimension exactly once, or, if {@code mayMiss}, at most once. */
    private static boolean isOnce(String symbol, List<GraphValue> values, boolean mayMiss) {
        return values.stream().allMatch(value -> value.axis(symbol).isPresent() || mayMiss && !has(value, symbol));
    }

    private static boolean has(GraphValue value, String symbol) {
        return value.dimensions().orElse(List.of()).stream()
                .anyMatch(
                        dimension -> !dimension.isFixed() && dimension.symbol().equals(symbol));
    }
}

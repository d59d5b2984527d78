package io.github.cellfuse.onnx.shape;

import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Finds the axes along which the inputs of a graph hold rows that don't depend on each other. The names of dimensions
 * only tell which axes to try first and which belong together; whether they are rows is proved by following them
 * through all nodes.
 */
public final class RowSearch {
    /** Names that exporters give to the dimension that counts rows. */
    private static final Pattern USUAL = Pattern.compile("(?i).*batch.*|n|b|bs|rows?|streams?");

    /** The most sets of axes to try. */
    private static final int MOST_TRIALS = 64;

    private final ShapedGraph graph;
    /** The sets of axes of the same symbolic size, by input. */
    private final List<Map<String, Integer>> dimensions = new ArrayList<>();

    private final Map<String, OnnxNode> producers = new HashMap<>();
    private boolean isOne;
    private int trials;
    private String reason = "the sizes of all inputs are fixed";
    private int furthest = -1;
    /** Whether the reason is that of a dimension whose name says that it counts rows. */
    private boolean isReasonFinal;

    private int usualCount;

    private RowSearch(ShapedGraph graph) {
        this.graph = graph;
        for (OnnxNode node : graph.nodes()) {
            node.proto().getOutputList().forEach(output -> producers.put(output, node));
        }
        collectDimensions();
    }

    /** Searches for axes of rows. */
    public static RowProof of(ShapedGraph graph) {
        RowSearch search = new RowSearch(graph);
        for (Map<String, Integer> dimension : search.dimensions) {
            Optional<RowAxes> found = search.grow(dimension);
            if (found.isPresent()) {
                return new RowProof(found, "");
            }
            search.isReasonFinal |= search.usualCount > 0;
        }
        return new RowProof(Optional.empty(), search.reason);
    }

    /**
     * Searches for the axes of the only row of a model that is made for one row.
     *
     * @param inputs the axes of some inputs, whose declared size there is 1
     */
    public static RowProof single(ShapedGraph graph, Map<String, Integer> inputs) {
        RowSearch search = new RowSearch(graph);
        search.isOne = true;
        search.dimensions.clear();
        for (ValueInfoProto input : graph.inputs()) {
            List<TensorShapeProto.Dimension> dims =
                    input.getType().getTensorType().getShape().getDimList();
            for (int axis = 0; axis < dims.size(); axis++) {
                if (dims.get(axis).getDimValue() == 1) {
                    search.dimensions.add(Map.of(input.getName(), axis));
                }
            }
        }
        Optional<RowAxes> found = search.grow(inputs);
        return new RowProof(found, found.isPresent() ? "" : search.reason);
    }

    private void collectDimensions() {
        Map<String, Map<String, Integer>> named = new LinkedHashMap<>();
        Set<String> repeated = new HashSet<>();
        graph.inputs().forEach(input -> repeated.addAll(repeatedSymbols(input)));
        Set<String> usual = new HashSet<>();
        for (ValueInfoProto input : graph.inputs()) {
            List<TensorShapeProto.Dimension> dims =
                    input.getType().getTensorType().getShape().getDimList();
            for (int axis = 0; axis < dims.size(); axis++) {
                if (!ShapedGraph.isFixed(dims.get(axis))) {
                    String symbol = dims.get(axis).getDimParam();
                    // A name that an input has twice, or "?", doesn't tell which axes belong together.
                    boolean isName = !symbol.isEmpty() && !symbol.equals("?") && !repeated.contains(symbol);
                    String key = isName ? symbol : input.getName() + "#" + axis;
                    if (!symbol.isEmpty() && USUAL.matcher(symbol).matches()) {
                        usual.add(key);
                    }
                    named.computeIfAbsent(key, k -> new LinkedHashMap<>()).put(input.getName(), axis);
                }
            }
        }
        usualCount = usual.size();
        named.keySet().stream()
                .sorted(Comparator.comparing(key -> !usual.contains(key)))
                .map(named::get)
                .forEach(dimensions::add);
    }

    /** Returns the names that several dimensions of an input have. */
    private static Set<String> repeatedSymbols(ValueInfoProto input) {
        Set<String> once = new HashSet<>(), again = new HashSet<>();
        for (TensorShapeProto.Dimension dim :
                input.getType().getTensorType().getShape().getDimList()) {
            if (!ShapedGraph.isFixed(dim) && !once.add(dim.getDimParam())) {
                again.add(dim.getDimParam());
            }
        }
        return again;
    }

    private record Trial(Optional<RowAxes> axes, Optional<RowEnd> end) {}

    /** Tries a set of axes, and larger ones if only another input lacks rows. */
    private Optional<RowAxes> grow(Map<String, Integer> axes) {
        if (++trials > MOST_TRIALS) {
            return Optional.empty();
        }
        Trial trial = proveAny(axes);
        Optional<String> lacking = trial.end.flatMap(RowEnd::lacking);
        if (trial.axes.isPresent() || lacking.isEmpty()) {
            return trial.axes;
        }
        Set<String> needed = inputsOf(lacking.get());
        for (Map<String, Integer> more : dimensions) {
            boolean isNew = more.keySet().stream().noneMatch(axes::containsKey);
            if (isNew && more.keySet().stream().anyMatch(needed::contains)) {
                Map<String, Integer> larger = new LinkedHashMap<>(axes);
                larger.putAll(more);
                Optional<RowAxes> found = grow(larger);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    /** Tries to prove it for any number of rows, and then for two or more. */
    private Trial proveAny(Map<String, Integer> axes) {
        if (isOne) {
            return prove(axes, RowCount.ONE);
        }
        Trial trial = prove(axes, RowCount.atLeast(1));
        return trial.axes.isPresent()
                        || trial.end.filter(e -> e.lacking().isPresent()).isPresent()
                ? trial
                : prove(axes, RowCount.atLeast(2));
    }

    private Trial prove(Map<String, Integer> axes, RowCount count) {
        GraphFacts facts = graph.follow(axes, count);
        Map<String, Integer> outputs = new LinkedHashMap<>();
        for (String output : graph.outputs()) {
            TensorFacts found = facts.find(output);
            Optional<RowEnd> end = found.end();
            if (end.isEmpty() && found.countsRows()) {
                end = Optional.of(new RowEnd("output '" + output + "' counts the rows", Optional.empty()));
            }
            if (end.isEmpty()
                    && found.rows().filter(r -> !r.outer().equals(Size.ONE)).isPresent()) {
                end = Optional.of(new RowEnd(
                        "output '" + output + "' has rows that are scattered along axis "
                                + found.rows().get().axis(),
                        Optional.empty()));
            }
            if (end.isPresent()) {
                int followed = end.get().isTime() ? 0 : facts.followed();
                explain("with rows along " + describe(axes) + ", " + end.get().reason(), followed);
                return new Trial(Optional.empty(), end);
            }
            found.rows().ifPresent(rows -> outputs.put(output, rows.axis()));
        }
        if (outputs.isEmpty()) {
            explain("no output depends on " + describe(axes), 0);
            return new Trial(Optional.empty(), Optional.empty());
        }
        return new Trial(Optional.of(new RowAxes(axes, outputs, count.fewest())), Optional.empty());
    }

    private static String describe(Map<String, Integer> axes) {
        return axes.entrySet().stream()
                .map(entry -> "axis " + entry.getValue() + " of " + entry.getKey())
                .collect(Collectors.joining(" and "));
    }

    /** Keeps the reason of the trial in which rows could be followed furthest. */
    private void explain(String why, int followed) {
        if (followed > furthest && !isReasonFinal) {
            furthest = followed;
            reason = why;
        }
    }

    /** Returns the inputs of the graph on which a value depends. */
    private Set<String> inputsOf(String value) {
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(value));
        while (!open.isEmpty()) {
            String name = open.pop();
            if (seen.add(name) && producers.containsKey(name)) {
                open.addAll(Subgraphs.needs(producers.get(name).proto()));
            }
        }
        return seen;
    }
}

package io.github.cellfuse.onnx.shape;

import io.github.cellfuse.onnx.Constants;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.OnnxTensors;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A graph whose shapes and rows can be followed. It keeps the shapes of constants, but no weights. Immutable and thread
 * safe.
 */
public final class ShapedGraph {
    private final long opset;
    private final OnnxTensors tensors;
    private final Map<String, TensorFacts> constants = new HashMap<>();
    private final List<OnnxNode> nodes;
    private final List<ValueInfoProto> inputs;
    private final List<String> outputs;
    private final Map<String, long[]> shapes = new HashMap<>();

    /**
     * Makes a graph to follow.
     *
     * @param opset the opset version of the default domain
     * @param tensors reads the constants
     * @param constants the constants of the graph
     * @param nodes the nodes in an executable order
     * @param inputs the inputs with their declared shapes
     * @param outputs the names of the outputs
     */
    public ShapedGraph(
            long opset,
            OnnxTensors tensors,
            Constants constants,
            List<OnnxNode> nodes,
            List<ValueInfoProto> inputs,
            List<String> outputs) {
        this.opset = opset;
        this.tensors = tensors;
        this.nodes = List.copyOf(nodes);
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        Set<String> names = new HashSet<>(outputs);
        nodes.forEach(node -> names.addAll(Subgraphs.needs(node.proto())));
        for (String name : names) {
            constants.find(name).ifPresent(value -> this.constants.put(name, ConstantFacts.of(value, tensors)));
        }
    }

    /**
     * Returns the same graph with known shapes of some inputs.
     *
     * @param known the shapes by input; -1 for a dimension that isn't known. Ignored where the model declares another
     *     number of dimensions
     */
    public ShapedGraph with(Map<String, long[]> known) {
        ShapedGraph graph = new ShapedGraph(this);
        known.forEach((name, shape) -> graph.shapes.put(name, shape.clone()));
        return graph;
    }

    private ShapedGraph(ShapedGraph other) {
        opset = other.opset;
        tensors = other.tensors;
        constants.putAll(other.constants);
        nodes = other.nodes;
        inputs = other.inputs;
        outputs = other.outputs;
        shapes.putAll(other.shapes);
    }

    List<OnnxNode> nodes() {
        return nodes;
    }

    List<ValueInfoProto> inputs() {
        return inputs;
    }

    List<String> outputs() {
        return outputs;
    }

    /**
     * Returns those of the values {@code names} that are a single number, or a truth value (0 or 1), which follows from
     * the declared shapes of the inputs.
     */
    public Map<String, Long> decided(List<String> names) {
        GraphFacts facts = follow(Map.of(), RowCount.atLeast(0));
        Map<String, Long> decided = new HashMap<>();
        for (String name : names) {
            facts.find(name).numbers().filter(n -> n.length == 1).ifPresent(n -> decided.put(name, n[0]));
        }
        return decided;
    }

    /**
     * Returns the dimensions of values as far as they are known numbers, and -1 for others; nothing for unknown ranks.
     */
    public Map<String, long[]> dimensions(Collection<String> names) {
        GraphFacts facts = follow(Map.of(), RowCount.atLeast(0));
        Map<String, long[]> dimensions = new HashMap<>();
        for (String name : names) {
            facts.find(name)
                    .dims()
                    .ifPresent(dims -> dimensions.put(
                            name,
                            dims.stream().mapToLong(d -> d.fixed().orElse(-1)).toArray()));
        }
        return dimensions;
    }

    /** Returns whether the rows of these values come first where they are joined with other axes. */
    public boolean areOutermost(RowAxes axes, Collection<String> names) {
        GraphFacts facts = follow(axes.inputs(), RowCount.atLeast(axes.fewest()));
        return names.stream()
                .allMatch(name -> facts.find(name)
                        .rows()
                        .filter(rows -> rows.outer().equals(Size.ONE))
                        .isPresent());
    }

    /**
     * Follows the graph with rows along some axes of its inputs.
     *
     * @param rowCount what is known of the number of rows
     */
    GraphFacts follow(Map<String, Integer> rowAxes, RowCount rowCount) {
        GraphFacts facts = new GraphFacts(opset, tensors, rowCount);
        constants.forEach(facts::define);
        for (ValueInfoProto input : inputs) {
            facts.define(
                    input.getName(),
                    facts(input, shapes.get(input.getName()), Optional.ofNullable(rowAxes.get(input.getName()))));
        }
        facts.follow(nodes);
        return facts;
    }

    private static TensorFacts facts(ValueInfoProto input, long[] known, Optional<Integer> rows) {
        if (!input.getType().getTensorType().hasShape()) {
            return known == null ? TensorFacts.UNKNOWN : facts(withRank(input, known.length), known, rows);
        }
        List<TensorShapeProto.Dimension> declared =
                input.getType().getTensorType().getShape().getDimList();
        List<Size> dims = new ArrayList<>();
        for (int axis = 0; axis < declared.size(); axis++) {
            if (rows.equals(Optional.of(axis))) {
                dims.add(Size.ROWS);
            } else if (isFixed(declared.get(axis))) {
                dims.add(Size.of(declared.get(axis).getDimValue()));
            } else if (known != null && known.length == declared.size() && known[axis] >= 0) {
                dims.add(Size.of(known[axis]));
            } else {
                dims.add(Size.of(new Size.Symbol(input.getName() + "[" + axis + "]", false, true)));
            }
        }
        return TensorFacts.of(dims).withRows(rows.map(RowAxis::at));
    }

    private static ValueInfoProto withRank(ValueInfoProto input, int rank) {
        ValueInfoProto.Builder ranked = input.toBuilder();
        TensorShapeProto.Builder shape =
                ranked.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
        for (int axis = 0; axis < rank; axis++) {
            shape.addDimBuilder();
        }
        return ranked.build();
    }

    static boolean isFixed(TensorShapeProto.Dimension dimension) {
        return dimension.hasDimValue() && dimension.getDimValue() >= 0;
    }
}

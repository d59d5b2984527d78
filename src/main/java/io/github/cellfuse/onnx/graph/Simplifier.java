package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Simplifies a graph so that its LSTMs can run on a device: each If with a constant condition is replaced by its
 * branch, and computed weights become constants.
 */
final class Simplifier {
    /** The indices of W, R, B and P among an LSTM's inputs. */
    private static final int[] WEIGHTS = {1, 2, 3, 7};

    /** The operators whose inputs after the first are shapes, axes or limits. */
    private static final Set<String> SHAPING =
            Set.of("Expand", "Gather", "Pad", "Reshape", "Slice", "Split", "Squeeze", "Tile", "Unsqueeze");

    private final WorkingGraph graph;

    private Simplifier(WorkingGraph graph) {
        this.graph = graph;
    }

    static void simplify(WorkingGraph graph) {
        Simplifier simplifier = new Simplifier(graph);
        graph.removeUnneeded();
        if (graph.nodes().stream().noneMatch(Simplifier::holdsLstm)) {
            return; // no LSTM to expose
        }
        while (simplifier.inlineBranches() || simplifier.inferShapes()) {
            graph.removeUnneeded();
        }
        RuntimeFolding.fold(graph, simplifier.weights());
        graph.removeZeroStates();
    }

    /** Returns whether a node is an LSTM, or has one in a subgraph. */
    static boolean holdsLstm(NodeProto node) {
        return node.getOpType().equals("LSTM") && OnnxNode.isDefaultDomain(node.getDomain())
                || Subgraphs.of(node).stream()
                        .anyMatch(inner -> inner.getNodeList().stream().anyMatch(Simplifier::holdsLstm));
    }

    /** Inlines each If whose condition is constant, or follows from declared shapes. Returns false if there is none. */
    private boolean inlineBranches() {
        List<OnnxNode> conditionals =
                graph.labelled().stream().filter(node -> node.is("If")).toList();
        if (conditionals.isEmpty()) {
            return false;
        }
        List<String> conditions =
                conditionals.stream().flatMap(node -> node.input(0).stream()).toList();
        List<String> wanted = new ArrayList<>(conditions);
        wanted.addAll(parameters());
        RuntimeFolding.fold(graph, wanted);
        Map<String, Long> decided = graph.shaped().decided(conditions);
        Map<NodeProto, GraphProto> branches = new IdentityHashMap<>();
        for (OnnxNode conditional : conditionals) {
            Optional<TensorProto> condition = conditional.input(0).flatMap(graph::find);
            if (condition.isPresent()) {
                branches.put(conditional.proto(), branch(conditional, isTrue(conditional, condition.get())));
            } else if (conditional.input(0).filter(decided::containsKey).isPresent()) {
                boolean isTrue = decided.get(conditional.input(0).get()) != 0;
                branches.put(conditional.proto(), branch(conditional, isTrue));
            }
        }
        graph.inline(branches);
        return !branches.isEmpty();
    }

    /** Asks ONNX Runtime for shapes that decide where an LSTM runs. Returns false if it doesn't know any. */
    private boolean inferShapes() {
        if (!ShapeConditions.hideLstms(graph)) {
            return false;
        }
        List<String> conditions = graph.labelled().stream()
                .filter(node -> node.is("If") && holdsLstm(node.proto()))
                .flatMap(node -> node.input(0).stream())
                .toList();
        return new ShapeConditions(graph).infer(conditions);
    }

    private boolean isTrue(OnnxNode conditional, TensorProto condition) {
        long[] values = graph.tensors().longs(condition);
        if (condition.getDataType() != TensorProto.DataType.BOOL_VALUE || values.length != 1) {
            throw conditional.invalid("condition: expected one BOOL, found " + values.length + " values of type "
                    + OnnxTypes.describe(condition.getDataType()));
        }
        return values[0] != 0;
    }

    private static GraphProto branch(OnnxNode conditional, boolean isTrue) {
        String name = isTrue ? "then_branch" : "else_branch";
        GraphProto branch = conditional
                .attribute(name, AttributeType.GRAPH)
                .map(AttributeProto::getG)
                .orElseThrow(() -> conditional.invalid("expected an attribute " + name + ", found none"));
        if (branch.getOutputCount() != conditional.proto().getOutputCount()) {
            throw conditional.invalid(name + ": expected " + conditional.proto().getOutputCount()
                    + " outputs like the node, found " + branch.getOutputCount());
        }
        return branch;
    }

    /** Returns the weights of LSTMs, which can only run on a device with constant ones. */
    private List<String> weights() {
        List<String> wanted = parameters();
        for (OnnxNode node : graph.labelled()) {
            if (node.is("LSTM")) {
                for (int k : WEIGHTS) {
                    node.input(k).ifPresent(wanted::add);
                }
            }
        }
        return wanted;
    }

    /**
     * Returns the shapes, axes and limits that are inputs of nodes: they decide whether one LSTM follows another, and
     * what is known of shapes.
     */
    private List<String> parameters() {
        List<String> wanted = new ArrayList<>();
        for (OnnxNode node : graph.labelled()) {
            if (SHAPING.stream().anyMatch(node::is)) {
                for (int k = 1; k < node.proto().getInputCount(); k++) {
                    node.input(k).ifPresent(wanted::add);
                }
            }
        }
        return wanted;
    }
}

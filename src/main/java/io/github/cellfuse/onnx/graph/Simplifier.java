package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Simplifies a graph so that its LSTMs can run on a device: each If with a constant condition is replaced by its
 * branch, and computed weights become constants.
 */
final class Simplifier {
    /** The indices of W, R, B and P among an LSTM's inputs. */
    private static final int[] WEIGHTS = {1, 2, 3, 7};

    /** The operators whose second input is a shape or axes. */
    private static final Set<String> SHAPING = Set.of("Reshape", "Squeeze", "Unsqueeze");

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
        while (simplifier.inlineBranches()) {
            graph.removeUnneeded();
        }
        RuntimeFolding.fold(graph, simplifier.weights());
    }

    private static boolean holdsLstm(NodeProto node) {
        return node.getOpType().equals("LSTM") && OnnxNode.isDefaultDomain(node.getDomain())
                || Subgraphs.of(node).stream()
                        .anyMatch(inner -> inner.getNodeList().stream().anyMatch(Simplifier::holdsLstm));
    }

    /** Inlines each If whose condition is constant. Returns false if there is none. */
    private boolean inlineBranches() {
        List<OnnxNode> conditionals =
                graph.labelled().stream().filter(node -> node.is("If")).toList();
        RuntimeFolding.fold(
                graph,
                conditionals.stream().flatMap(node -> node.input(0).stream()).toList());
        boolean isChanged = false;
        for (OnnxNode conditional : conditionals) {
            Optional<TensorProto> condition = conditional.input(0).flatMap(graph::find);
            if (condition.isPresent()) {
                graph.inline(conditional.proto(), branch(conditional, condition.get()));
                isChanged = true;
            }
        }
        return isChanged;
    }

    private GraphProto branch(OnnxNode conditional, TensorProto condition) {
        long[] values = graph.tensors().longs(condition);
        if (condition.getDataType() != TensorProto.DataType.BOOL_VALUE || values.length != 1) {
            throw conditional.invalid("condition: expected one BOOL, found " + values.length + " values of type "
                    + OnnxTypes.describe(condition.getDataType()));
        }
        String name = values[0] != 0 ? "then_branch" : "else_branch";
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

    /**
     * Returns the values to make constant: the weights of LSTMs, which can only run on a device with constant ones, and
     * the shapes and axes that decide whether one LSTM follows another.
     */
    private List<String> weights() {
        List<String> wanted = new ArrayList<>();
        for (OnnxNode node : graph.labelled()) {
            if (node.is("LSTM")) {
                for (int k : WEIGHTS) {
                    node.input(k).ifPresent(wanted::add);
                }
            } else if (SHAPING.stream().anyMatch(node::is)) {
                node.input(1).ifPresent(wanted::add);
            }
        }
        return wanted;
    }
}

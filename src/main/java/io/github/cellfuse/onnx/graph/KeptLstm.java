package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.LstmNode;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.List;

/**
 * An LSTM that runs in ONNX Runtime instead of on a device. Immutable and thread safe.
 *
 * @param node the node's name, or its first output if it has no name
 * @param reason the reason, as a clause such as {@code it is in the body of Loop l}
 */
public record KeptLstm(String node, String reason) {

    /** Returns the LSTMs in the parts of a graph that ONNX Runtime runs. */
    static List<KeptLstm> of(WorkingGraph graph, List<Part> parts) {
        List<KeptLstm> kept = new ArrayList<>();
        for (Part part : parts) {
            if (part instanceof RuntimePart runtime) {
                for (NodeProto node : runtime.nodes()) {
                    collect(graph, node, kept);
                }
            }
        }
        return kept;
    }

    private static void collect(WorkingGraph graph, NodeProto node, List<KeptLstm> kept) {
        OnnxNode known = OnnxNode.of(graph.path(), 0, node);
        if (known.is("LSTM")) {
            LstmNode.variableWeight(known, graph)
                    .ifPresent(
                            name -> kept.add(new KeptLstm(name(node), "its weights '" + name + "' aren't constant")));
        }
        String where = node.getOpType().equals("If")
                ? "it is in a branch of If " + name(node) + ", whose condition depends on the "
                        + (isByShapes(graph, known) ? "shapes of the inputs" : "inputs")
                : "it is in the body of " + node.getOpType() + " " + name(node);
        Subgraphs.of(node).forEach(inner -> collectWithin(inner, where, kept));
    }

    private static boolean isByShapes(WorkingGraph graph, OnnxNode conditional) {
        return conditional
                .input(0)
                .filter(new ShapeConditions(graph)::isByShapes)
                .isPresent();
    }

    private static void collectWithin(GraphProto graph, String where, List<KeptLstm> kept) {
        for (NodeProto node : graph.getNodeList()) {
            if (node.getOpType().equals("LSTM") && OnnxNode.isDefaultDomain(node.getDomain())) {
                kept.add(new KeptLstm(name(node), where));
            }
            Subgraphs.of(node).forEach(inner -> collectWithin(inner, where, kept));
        }
    }

    private static String name(NodeProto node) {
        return node.getName().isEmpty()
                ? node.getOutputList().stream()
                        .filter(o -> !o.isEmpty())
                        .findFirst()
                        .orElse("without a name")
                : node.getName();
    }
}

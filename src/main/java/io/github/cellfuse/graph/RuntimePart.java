package io.github.cellfuse.graph;

import io.github.cellfuse.format.onnx.Onnx.NodeProto;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Nodes that ONNX Runtime runs. Immutable.
 *
 * @param nodes in an order in which they can run
 */
public record RuntimePart(List<NodeProto> nodes, List<String> inputs, List<String> outputs) implements Part {
    public RuntimePart {
        nodes = List.copyOf(nodes);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** How many nodes of each operator there are, by its name. */
    public Map<String, Integer> operators() {
        Map<String, Integer> counts = new TreeMap<>();
        nodes.forEach(node -> counts.merge(node.getOpType(), 1, Integer::sum));
        return counts;
    }
}

package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A part of a graph that runs in ONNX Runtime. Immutable and thread safe. */
public final class RuntimePart implements Part {
    private final List<NodeProto> nodes;
    private final List<String> inputs;
    private final List<String> outputs;

    /**
     * Makes a part.
     *
     * @param nodes the nodes in an executable order
     */
    RuntimePart(List<NodeProto> nodes, List<String> inputs, List<String> outputs) {
        this.nodes = List.copyOf(nodes);
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
    }

    List<NodeProto> nodes() {
        return nodes;
    }

    /** Returns the number of nodes. */
    public int nodeCount() {
        return nodes.size();
    }

    /** Returns the number of nodes of each operator, by the operator's name. */
    public Map<String, Integer> operators() {
        Map<String, Integer> counts = new TreeMap<>();
        nodes.forEach(node -> counts.merge(node.getOpType(), 1, Integer::sum));
        return counts;
    }

    @Override
    public List<String> inputs() {
        return inputs;
    }

    @Override
    public List<String> outputs() {
        return outputs;
    }
}

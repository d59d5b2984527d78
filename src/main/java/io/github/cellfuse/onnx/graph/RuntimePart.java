package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A part of a graph that runs in ONNX Runtime. Immutable and thread safe. */
public final class RuntimePart implements Part {
    private final List<NodeProto> nodes;
    private final List<String> inputs;
    private final List<String> outputs;

    private RuntimePart(List<NodeProto> nodes, Collection<String> inputs, Collection<String> outputs) {
        this.nodes = List.copyOf(nodes);
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
    }

    /**
     * Makes a part.
     *
     * @param nodes the nodes in an executable order
     * @param graph knows the constants, which are neither inputs nor outputs
     * @param wanted the names of the values that are read outside the part, and others
     */
    static RuntimePart of(List<NodeProto> nodes, WorkingGraph graph, Set<String> wanted) {
        Set<String> made = new LinkedHashSet<>(), read = new LinkedHashSet<>();
        for (NodeProto node : nodes) {
            made.addAll(node.getOutputList());
            read.addAll(Subgraphs.needs(node));
        }
        read.removeIf(name -> made.contains(name) || graph.isConstant(name));
        made.removeIf(name -> !wanted.contains(name) || graph.isConstant(name));
        return new RuntimePart(nodes, read, made);
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

package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds names that aren't taken yet. Not thread safe. */
public final class FreshNames {
    private final Set<String> taken = new HashSet<>();
    /** For each wanted name, how often it was changed. */
    private final Map<String, Integer> changed = new HashMap<>();

    private FreshNames() {}

    /**
     * Returns names for new values of a graph. All names in the graph and its subgraphs are taken, even those that
     * nothing defines: a new value must not define them by accident.
     */
    public static FreshNames ofValues(GraphProto graph) {
        FreshNames names = new FreshNames();
        names.takeValues(graph);
        return names;
    }

    private void takeValues(GraphProto graph) {
        graph.getInputList().forEach(input -> taken.add(input.getName()));
        graph.getOutputList().forEach(output -> taken.add(output.getName()));
        graph.getInitializerList().forEach(initializer -> taken.add(initializer.getName()));
        for (NodeProto node : graph.getNodeList()) {
            taken.addAll(node.getInputList());
            taken.addAll(node.getOutputList());
            Subgraphs.of(node).forEach(this::takeValues);
        }
    }

    /** Returns names for new nodes of a graph: ONNX Runtime rejects two nodes with the same name. */
    static FreshNames ofNodes(GraphProto graph) {
        return ofNodes(graph.getNodeList());
    }

    /** Returns names for new nodes of a graph that has these nodes. */
    public static FreshNames ofNodes(List<NodeProto> nodes) {
        FreshNames names = new FreshNames();
        names.takeNodes(nodes);
        return names;
    }

    private void takeNodes(List<NodeProto> nodes) {
        for (NodeProto node : nodes) {
            taken.add(node.getName());
            Subgraphs.of(node).forEach(inner -> takeNodes(inner.getNodeList()));
        }
    }

    /** Returns a copy, in which the same names are taken. */
    public FreshNames copy() {
        FreshNames copy = new FreshNames();
        copy.taken.addAll(taken);
        copy.changed.putAll(changed);
        return copy;
    }

    /** Returns {@code wanted}, with a number if it is taken. The result is then taken. */
    public String next(String wanted) {
        String name = wanted;
        while (!taken.add(name)) {
            name = wanted + "/" + changed.merge(wanted, 1, Integer::sum);
        }
        return name;
    }
}

package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The subgraphs of nodes: the branches of If and the bodies of Loop and Scan, which see the names of the enclosing
 * graphs.
 */
public final class Subgraphs {
    private Subgraphs() {}

    /** Returns the subgraphs of {@code node}: its attributes that are graphs. */
    public static List<GraphProto> of(NodeProto node) {
        List<GraphProto> graphs = new ArrayList<>();
        for (AttributeProto attribute : node.getAttributeList()) {
            addTo(graphs, attribute);
        }
        return graphs;
    }

    /** Returns the graphs in an attribute. */
    static List<GraphProto> of(AttributeProto attribute) {
        List<GraphProto> graphs = new ArrayList<>();
        addTo(graphs, attribute);
        return graphs;
    }

    private static void addTo(List<GraphProto> graphs, AttributeProto attribute) {
        if (attribute.hasG()) {
            graphs.add(attribute.getG());
        }
        graphs.addAll(attribute.getGraphsList());
    }

    /**
     * Returns all names that {@code node} uses from its graph: its inputs, and the names that its subgraphs capture.
     */
    public static Set<String> needs(NodeProto node) {
        Set<String> names = new LinkedHashSet<>();
        for (String input : node.getInputList()) {
            if (!input.isEmpty()) {
                names.add(input);
            }
        }
        of(node).forEach(graph -> names.addAll(captured(graph)));
        return names;
    }

    /** Returns the names that {@code graph} uses but doesn't define. */
    public static Set<String> captured(GraphProto graph) {
        Set<String> used = new LinkedHashSet<>(), defined = new HashSet<>();
        for (ValueInfoProto input : graph.getInputList()) {
            defined.add(input.getName());
        }
        for (TensorProto initializer : graph.getInitializerList()) {
            defined.add(initializer.getName());
        }
        for (NodeProto node : graph.getNodeList()) {
            used.addAll(needs(node));
            defined.addAll(node.getOutputList());
        }
        for (ValueInfoProto output : graph.getOutputList()) {
            used.add(output.getName());
        }
        used.removeAll(defined);
        return used;
    }
}

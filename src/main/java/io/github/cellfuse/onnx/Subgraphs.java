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

/** The graphs within nodes: the branches of If, the bodies of Loop and Scan. They see the names of the graphs around them. */
public final class Subgraphs {
    private Subgraphs() {}

    /** Returns the graphs that are attributes of {@code node}. */
    public static List<GraphProto> of(NodeProto node) {
        List<GraphProto> graphs = new ArrayList<>();
        for (AttributeProto attribute : node.getAttributeList()) {
            if (attribute.hasG()) {
                graphs.add(attribute.getG());
            }
            graphs.addAll(attribute.getGraphsList());
        }
        return graphs;
    }

    /** Returns every name that {@code node} needs of the graph that it stands in: its inputs, and what the graphs within it use of outside. */
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
        graph.getSparseInitializerList().forEach(s -> defined.add(s.getValues().getName()));
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

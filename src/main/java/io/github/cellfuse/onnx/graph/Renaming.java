package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.HashMap;
import java.util.Map;

/** Renames values of a graph everywhere: in its nodes and in their subgraphs. */
final class Renaming {
    private final Map<String, String> names;

    private Renaming(Map<String, String> names) {
        this.names = names;
    }

    /** Returns a renaming from old to new names. Other names stay. */
    static Renaming of(Map<String, String> names) {
        return new Renaming(names);
    }

    /** Returns the graph with its values renamed. */
    GraphProto apply(GraphProto graph) {
        GraphProto.Builder changed = graph.toBuilder();
        for (int k = 0; k < changed.getInitializerCount(); k++) {
            changed.getInitializerBuilder(k)
                    .setName(name(graph.getInitializer(k).getName()));
        }
        for (int k = 0; k < changed.getOutputCount(); k++) {
            changed.getOutputBuilder(k).setName(name(graph.getOutput(k).getName()));
        }
        for (int k = 0; k < changed.getNodeCount(); k++) {
            changed.setNode(k, apply(graph.getNode(k)));
        }
        return changed.build();
    }

    /** Returns the node with the values that it reads and computes renamed. */
    NodeProto apply(NodeProto node) {
        NodeProto.Builder changed = node.toBuilder();
        for (int k = 0; k < node.getInputCount(); k++) {
            changed.setInput(k, name(node.getInput(k)));
        }
        for (int k = 0; k < node.getOutputCount(); k++) {
            changed.setOutput(k, name(node.getOutput(k)));
        }
        for (int k = 0; k < node.getAttributeCount(); k++) {
            AttributeProto attribute = node.getAttribute(k);
            if (attribute.hasG() || attribute.getGraphsCount() > 0) {
                AttributeProto.Builder inner = changed.getAttributeBuilder(k);
                if (attribute.hasG()) {
                    inner.setG(applyWithin(attribute.getG()));
                }
                for (int g = 0; g < attribute.getGraphsCount(); g++) {
                    inner.setGraphs(g, applyWithin(attribute.getGraphs(g)));
                }
            }
        }
        return changed.build();
    }

    /**
     * Returns a subgraph with the names that it sees from outside renamed. It keeps the names that it defines itself.
     */
    private GraphProto applyWithin(GraphProto graph) {
        Map<String, String> visible = new HashMap<>(names);
        graph.getInputList().forEach(input -> visible.remove(input.getName()));
        graph.getInitializerList().forEach(initializer -> visible.remove(initializer.getName()));
        graph.getNodeList().forEach(node -> node.getOutputList().forEach(visible::remove));
        return visible.isEmpty() ? graph : new Renaming(visible).apply(graph);
    }

    private String name(String name) {
        return names.getOrDefault(name, name);
    }
}

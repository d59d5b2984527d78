package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.GraphProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A checked graph, indexed so that it can be followed from a value to the node that computes it. */
final class GraphIndex {
    private final List<OnnxNode> nodes;
    private final List<String> outputs;
    private final Set<String> inputs;
    private final Map<String, OnnxNode> producers = new HashMap<>();

    GraphIndex(Object file, GraphProto graph) {
        nodes = OnnxNode.of(file, graph);
        outputs = graph.getOutputList().stream().map(o -> o.getName()).toList();
        inputs = graph.getInputList().stream().map(i -> i.getName()).collect(Collectors.toCollection(HashSet::new));
        for (OnnxNode node : nodes) {
            for (String output : node.proto().getOutputList()) {
                if (!output.isEmpty()) {
                    producers.put(output, node);
                }
            }
        }
    }

    List<OnnxNode> nodes() {
        return nodes;
    }

    /** Returns the names of the graph's outputs. */
    List<String> outputs() {
        return outputs;
    }

    /** Returns whether {@code name} is an input of the graph, with or without a default. */
    boolean isInput(String name) {
        return inputs.contains(name);
    }

    /** Returns the node that computes {@code name}, or nothing for an input or a constant. */
    Optional<OnnxNode> producer(String name) {
        return Optional.ofNullable(producers.get(name));
    }
}

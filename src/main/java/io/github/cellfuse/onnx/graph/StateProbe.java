package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.Subgraphs;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Passes states from the end of one call to the beginning of the next, without anything else of a model. */
final class StateProbe {
    private StateProbe() {}

    /**
     * Returns the initial states of the next call.
     *
     * @param nodes the nodes that pack and unpack states, which depend on nothing else
     * @param states the output that becomes each state
     * @param finals the final states of a call
     * @param wanted the names of the initial states
     */
    static Map<String, Tensor> run(
            WorkingGraph graph,
            Set<NodeProto> nodes,
            Map<String, String> states,
            Map<String, Tensor> finals,
            Collection<String> wanted) {
        List<NodeProto> all = new ArrayList<>(ancestors(nodes, states.values()));
        Set<NodeProto> packing = identitySet();
        packing.addAll(all);
        Renaming fedBack = Renaming.of(states);
        for (NodeProto node : ancestors(nodes, wanted)) {
            if (!packing.contains(node)) {
                all.add(fedBack.apply(node));
            }
        }
        Map<String, String> results = new LinkedHashMap<>();
        for (String name : wanted) {
            // A node of its own, because a value may be an input and a result at once.
            results.put(name, graph.freshName("probe"));
            all.add(NodeProto.newBuilder()
                    .setOpType("Identity")
                    .addInput(states.getOrDefault(name, name))
                    .addOutput(results.get(name))
                    .build());
        }
        List<ValueInfoProto> given = new ArrayList<>();
        finals.forEach((name, value) -> given.add(OnnxTypes.declare(name, value)));
        String label = graph.path() + ": states";
        Map<String, Tensor> found = new HashMap<>();
        try (OrtGraph runtime = OrtLibrary.openUnoptimized(graph.cut(all, given, results.values()), label);
                Values values = new Values()) {
            finals.forEach(values::put);
            runtime.run(values, new HashSet<>(results.values()), Map.of(), (name, bytes) -> Tensor.allocate(bytes));
            results.forEach((name, result) -> {
                Tensor tensor = values.tensor(result);
                found.put(name, new Tensor(tensor.type(), copy(tensor), tensor.shape()));
            });
        }
        return found;
    }

    private static ByteBuffer copy(Tensor tensor) {
        ByteBuffer bytes = Tensor.allocate(tensor.bytes().remaining());
        bytes.put(tensor.bytes());
        return bytes.flip();
    }

    /** Returns the nodes on which some values depend, in their order. */
    private static List<NodeProto> ancestors(Set<NodeProto> nodes, Collection<String> values) {
        Map<String, NodeProto> producers = new HashMap<>();
        nodes.forEach(node -> node.getOutputList().forEach(output -> producers.put(output, node)));
        Set<NodeProto> needed = identitySet();
        Deque<String> open = new ArrayDeque<>(values);
        while (!open.isEmpty()) {
            NodeProto node = producers.get(open.pop());
            if (node != null && needed.add(node)) {
                open.addAll(Subgraphs.needs(node));
            }
        }
        return inOrder(needed);
    }

    /** Returns nodes so that each comes after those that it needs. */
    private static List<NodeProto> inOrder(Set<NodeProto> nodes) {
        Set<String> made = new HashSet<>();
        nodes.forEach(node -> made.addAll(node.getOutputList()));
        List<NodeProto> ordered = new ArrayList<>();
        List<NodeProto> waiting = new ArrayList<>(nodes);
        while (!waiting.isEmpty()) {
            boolean isChanged = waiting.removeIf(node -> {
                boolean isReady = Subgraphs.needs(node).stream().noneMatch(made::contains);
                if (isReady) {
                    ordered.add(node);
                }
                return isReady;
            });
            ordered.forEach(node -> made.removeAll(node.getOutputList()));
            if (!isChanged) {
                throw new IllegalStateException("nodes that need each other");
            }
        }
        return ordered;
    }

    private static Set<NodeProto> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }
}

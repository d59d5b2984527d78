package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.LstmChain;
import io.github.cellfuse.onnx.LstmChains;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Cuts a graph into parts at its LSTMs: first the nodes that the first LSTMs need, then those LSTMs, then the nodes
 * that the next LSTMs need, and so on. Nodes that no output needs are omitted.
 */
final class Partition {
    private final WorkingGraph graph;
    private final List<Unit> units = new ArrayList<>();
    private final Map<String, Unit> producers = new HashMap<>();

    /** An indivisible unit: a node, or a chain of LSTMs. */
    private static final class Unit {
        final Collection<String> inputs;
        final NodeProto node;
        final LstmChain chain;
        final LstmPart part;
        boolean isLive;
        boolean isPlaced;
        int stage;

        Unit(NodeProto node) {
            this.node = node;
            inputs = Subgraphs.needs(node);
            chain = null;
            part = null;
        }

        Unit(LstmChain chain, LstmPart part) {
            this.chain = chain;
            this.part = part;
            inputs = part.inputs();
            node = null;
        }
    }

    private Partition(WorkingGraph graph, List<LstmChain> chains) {
        this.graph = graph;
        ChainParts parts = new ChainParts(graph);
        Set<NodeProto> inChains = Collections.newSetFromMap(new IdentityHashMap<>());
        chains.forEach(
                chain -> chain.nodes().forEach(lstm -> inChains.add(lstm.node().proto())));
        for (NodeProto node : graph.nodes()) {
            if (!inChains.contains(node)) {
                add(new Unit(node), node.getOutputList());
            }
        }
        // After the nodes, so that a chain's outputs replace those of the nodes that became part of it.
        for (LstmChain chain : chains) {
            LstmPart part = parts.of(chain);
            add(new Unit(chain, part), part.outputs());
        }
    }

    private void add(Unit unit, Collection<String> outputs) {
        units.add(unit);
        outputs.forEach(output -> producers.put(output, unit));
    }

    /** Returns the parts in an order in which they can run. */
    static List<Part> of(WorkingGraph graph) {
        List<LstmChain> chains = LstmChains.of(graph.path(), graph.toProto(), graph.opset(), graph, graph.tensors())
                .chains();
        while (true) {
            Partition partition = new Partition(graph, chains);
            partition.findLive();
            Optional<LstmChain> stuck = partition.place();
            if (stuck.isEmpty()) {
                partition.delay();
                return partition.parts();
            }
            // The final states of one layer lead to an input of another, so the chain can't run as one model.
            List<LstmChain> others = new ArrayList<>();
            for (LstmChain chain : chains) {
                others.addAll(chain == stuck.get() ? ChainParts.split(chain) : List.of(chain));
            }
            chains = others;
        }
    }

    private void findLive() {
        Deque<String> open = new ArrayDeque<>();
        graph.outputs().forEach(output -> open.add(output.getName()));
        while (!open.isEmpty()) {
            Unit unit = producers.get(open.remove());
            if (unit != null && !unit.isLive) {
                unit.isLive = true;
                open.addAll(unit.inputs);
            }
        }
        units.removeIf(unit -> !unit.isLive);
    }

    /** Assigns a stage to each unit. Returns a chain that depends on itself, if there is one. */
    private Optional<LstmChain> place() {
        List<Unit> waiting = new ArrayList<>(units);
        while (!waiting.isEmpty()) {
            int before = waiting.size();
            waiting.removeIf(this::tryToPlace);
            if (waiting.size() == before) {
                return waiting.stream()
                        .filter(unit -> unit.chain != null && unit.chain.nodes().size() > 1)
                        .map(unit -> unit.chain)
                        .findFirst();
            }
        }
        return Optional.empty();
    }

    /** Assigns a stage to {@code unit} if its inputs have one. The nodes of a stage run before its LSTMs. */
    private boolean tryToPlace(Unit unit) {
        int stage = 0;
        for (String input : unit.inputs) {
            Unit producer = producers.get(input);
            if (producer != null) {
                if (!producer.isPlaced) {
                    return false;
                }
                stage = Math.max(stage, producer.stage + (producer.part != null ? 1 : 0));
            }
        }
        unit.stage = stage;
        unit.isPlaced = true;
        return true;
    }

    /**
     * Moves each node to the stage in which its outputs are first read. This gives fewer parts, and ONNX Runtime
     * evaluates nodes that depend only on constants when it loads a part. Nodes that only the graph's outputs need go
     * to the last part that exists anyway.
     */
    private void delay() {
        int last = units.stream()
                .filter(unit -> unit.node != null)
                .mapToInt(unit -> unit.stage)
                .max()
                .orElse(0);
        Map<Unit, Integer> firstReader = new IdentityHashMap<>();
        for (int index = units.size() - 1; index >= 0; index--) {
            Unit unit = units.get(index);
            if (unit.node != null) {
                unit.stage = firstReader.getOrDefault(unit, last);
            }
            for (String name : unit.inputs) {
                Unit producer = producers.get(name);
                if (producer != null) {
                    firstReader.merge(producer, unit.stage, Math::min);
                }
            }
        }
    }

    private List<Part> parts() {
        Map<Integer, List<NodeProto>> nodes = new TreeMap<>();
        Map<Integer, List<LstmPart>> chains = new TreeMap<>();
        int stages = 0;
        for (Unit unit : units) {
            stages = Math.max(stages, unit.stage + 1);
            if (unit.part != null) {
                chains.computeIfAbsent(unit.stage, s -> new ArrayList<>()).add(unit.part);
            } else {
                nodes.computeIfAbsent(unit.stage, s -> new ArrayList<>()).add(unit.node);
            }
        }
        List<Part> parts = new ArrayList<>();
        for (int stage = 0; stage < stages; stage++) {
            if (nodes.containsKey(stage)) {
                parts.add(runtimePart(stage, nodes.get(stage)));
            }
            parts.addAll(chains.getOrDefault(stage, List.of()));
        }
        return parts;
    }

    private RuntimePart runtimePart(int stage, List<NodeProto> nodes) {
        Set<String> wanted = new HashSet<>();
        graph.outputs().forEach(output -> wanted.add(output.getName()));
        for (Unit unit : units) {
            if (unit.part != null || unit.stage != stage) {
                wanted.addAll(unit.inputs);
            }
        }
        wanted.removeIf(name -> !isFrom(name, stage)); // it may be an output of a chain that includes its node
        return RuntimePart.of(nodes, graph, wanted);
    }

    private boolean isFrom(String name, int stage) {
        Unit unit = producers.get(name);
        return unit != null && unit.node != null && unit.stage == stage;
    }
}

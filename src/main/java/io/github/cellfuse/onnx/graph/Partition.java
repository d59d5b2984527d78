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
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

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
            Set<LstmChain> stuck = partition.place();
            if (stuck.isEmpty()) {
                partition.delay();
                return partition.parts();
            }
            // The final states of one layer lead to an input of another, so the chain can't run as one model.
            List<LstmChain> others = new ArrayList<>();
            for (LstmChain chain : chains) {
                others.addAll(stuck.contains(chain) ? ChainParts.split(chain) : List.of(chain));
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

    /**
     * Assigns a stage to each unit: the nodes of a stage run before its LSTMs. Returns the chains that depend on
     * themselves, also through each other.
     */
    private Set<LstmChain> place() {
        Map<Unit, List<Unit>> readers = new IdentityHashMap<>(), sources = new IdentityHashMap<>();
        for (Unit unit : units) {
            for (String input : unit.inputs) {
                Unit producer = producers.get(input);
                if (producer != null) {
                    sources.computeIfAbsent(unit, u -> new ArrayList<>()).add(producer);
                    readers.computeIfAbsent(producer, u -> new ArrayList<>()).add(unit);
                }
            }
        }
        Set<Unit> waiting = Collections.newSetFromMap(new IdentityHashMap<>());
        waiting.addAll(units);
        peel(waiting, sources, readers, (unit, reader) -> {
            reader.stage = Math.max(reader.stage, unit.stage + (unit.part != null ? 1 : 0));
        });
        // What is left are cycles and what follows them. From the other end, only cycles and what connects them is
        // left.
        peel(waiting, readers, sources, (unit, source) -> {});
        Set<LstmChain> stuck = Collections.newSetFromMap(new IdentityHashMap<>());
        waiting.stream()
                .filter(unit -> unit.chain != null && unit.chain.nodes().size() > 1)
                .forEach(unit -> stuck.add(unit.chain));
        return stuck;
    }

    /** Removes the units that come before no others from {@code left}, until there are none. */
    private void peel(
            Set<Unit> left, Map<Unit, List<Unit>> before, Map<Unit, List<Unit>> after, BiConsumer<Unit, Unit> follow) {
        Map<Unit, Integer> missing = new IdentityHashMap<>();
        Deque<Unit> ready = new ArrayDeque<>();
        for (Unit unit : units) {
            if (left.contains(unit)) {
                int count = (int) before.getOrDefault(unit, List.of()).stream()
                        .filter(left::contains)
                        .count();
                missing.put(unit, count);
                if (count == 0) {
                    ready.add(unit);
                }
            }
        }
        while (!ready.isEmpty()) {
            Unit unit = ready.remove();
            left.remove(unit);
            for (Unit next : after.getOrDefault(unit, List.of())) {
                if (left.contains(next)) {
                    follow.accept(unit, next);
                    if (missing.merge(next, -1, Integer::sum) == 0) {
                        ready.add(next);
                    }
                }
            }
        }
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
        Map<Integer, Set<String>> wanted = wanted();
        List<Part> parts = new ArrayList<>();
        for (int stage = 0; stage < stages; stage++) {
            if (nodes.containsKey(stage)) {
                parts.add(RuntimePart.of(nodes.get(stage), graph, wanted.getOrDefault(stage, Set.of())));
            }
            parts.addAll(chains.getOrDefault(stage, List.of()));
        }
        return parts;
    }

    /** Returns for each stage the values of its nodes that are read outside of them. */
    private Map<Integer, Set<String>> wanted() {
        Map<Integer, Set<String>> wanted = new HashMap<>();
        graph.outputs().forEach(output -> want(output.getName(), -1, wanted));
        for (Unit unit : units) {
            unit.inputs.forEach(input -> want(input, unit.part != null ? -1 : unit.stage, wanted));
        }
        return wanted;
    }

    /** Adds a value that the nodes of {@code stage} read; -1 for other readers. */
    private void want(String name, int stage, Map<Integer, Set<String>> wanted) {
        Unit unit = producers.get(name); // an output of a chain may replace that of a node
        if (unit != null && unit.node != null && unit.stage != stage) {
            wanted.computeIfAbsent(unit.stage, s -> new HashSet<>()).add(name);
        }
    }
}

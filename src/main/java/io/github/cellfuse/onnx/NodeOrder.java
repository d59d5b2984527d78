package io.github.cellfuse.onnx;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.stream.Collectors;

/** Sorts nodes into an executable order. ONNX requires files to have one, but some writers ignore that. */
final class NodeOrder {
    /** The most node names in a message: enough to locate a cycle. */
    private static final int MOST_NAMES = 6;

    private final List<OnnxNode> nodes;
    /** For each node, the nodes that compute the values it needs. */
    private final List<Set<Integer>> needed = new ArrayList<>();

    private NodeOrder(List<OnnxNode> nodes, Map<String, Integer> producers) {
        this.nodes = nodes;
        for (OnnxNode node : nodes) {
            Set<Integer> before = new LinkedHashSet<>();
            for (String name : Subgraphs.needs(node.proto())) {
                Integer producer = producers.get(name);
                if (producer != null) {
                    before.add(producer);
                }
            }
            needed.add(before);
        }
    }

    /**
     * Returns the nodes' indices in the executable order closest to the given one, or nothing if that is executable
     * already.
     *
     * @param producers for each value, the index of the node that computes it
     * @throws io.github.cellfuse.InvalidInputException when the nodes form a cycle
     */
    static Optional<int[]> sorted(List<OnnxNode> nodes, Map<String, Integer> producers) {
        NodeOrder order = new NodeOrder(nodes, producers);
        return order.isSorted() ? Optional.empty() : Optional.of(order.sort());
    }

    private boolean isSorted() {
        for (int node = 0; node < nodes.size(); node++) {
            for (int before : needed.get(node)) {
                if (before >= node) {
                    return false;
                }
            }
        }
        return true;
    }

    private int[] sort() {
        List<List<Integer>> followers = new ArrayList<>();
        nodes.forEach(node -> followers.add(new ArrayList<>()));
        int[] missing = new int[nodes.size()];
        PriorityQueue<Integer> ready = new PriorityQueue<>();
        for (int node = 0; node < nodes.size(); node++) {
            for (int before : needed.get(node)) {
                followers.get(before).add(node);
            }
            missing[node] = needed.get(node).size();
            if (missing[node] == 0) {
                ready.add(node);
            }
        }
        int[] order = new int[nodes.size()];
        int done = 0;
        while (!ready.isEmpty()) {
            int node = ready.remove();
            order[done++] = node;
            for (int follower : followers.get(node)) {
                if (--missing[follower] == 0) {
                    ready.add(follower);
                }
            }
        }
        if (done < order.length) {
            throw cycle(missing);
        }
        return order;
    }

    /**
     * Finds a cycle. A node that never became ready needs another such node, so a path back through them ends in a
     * cycle.
     */
    private RuntimeException cycle(int[] missing) {
        int at = 0;
        while (missing[at] == 0) {
            at++;
        }
        Set<Integer> path = new LinkedHashSet<>();
        while (path.add(at)) {
            at = needed.get(at).stream()
                    .filter(before -> missing[before] > 0)
                    .findFirst()
                    .orElseThrow();
        }
        List<Integer> all = new ArrayList<>(path);
        String names = all.subList(all.indexOf(at), all.size()).stream()
                .limit(MOST_NAMES)
                .map(node -> nodes.get(node).label())
                .collect(Collectors.joining(", "));
        return nodes.get(at).invalid("expected a node that doesn't need its own output, found a cycle: " + names);
    }
}

package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Arrangement.Kind;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The LSTM nodes of a graph, put together to chains. Two follow each other in a chain when the X of the one is the Y of the other behind
 * nodes that only move axes (Squeeze, Unsqueeze, Transpose, Reshape, Flatten, Identity, Dropout, Cast to the same type), all steps,
 * rows, directions and units are still there and in their order, both have the same sequence_lens or none and the same type, and what
 * lies between them is needed by nothing else. Shapes that are computed on the way count as needed only where something else needs them.
 *
 * <p>Nodes within the graphs of other nodes, and LSTMs whose weights aren't constant, are left alone. Immutable.
 */
public final class LstmChains {
    private static final int NONE = -1;

    private final GraphIndex graph;
    private final List<LstmNode> lstms = new ArrayList<>();
    private final Map<OnnxNode, Integer> numbers = new IdentityHashMap<>();
    /** For each LSTM the one whose Y is its X, or none. */
    private final int[] below;

    private final Set<OnnxNode> live;
    private final List<LstmChain> chains = new ArrayList<>();

    private LstmChains(GraphIndex graph, long opset, Constants constants, OnnxTensors tensors) {
        this.graph = graph;
        Zeros zeros = new Zeros(graph, constants, tensors);
        for (OnnxNode node : graph.nodes()) {
            if (node.is("LSTM") && LstmNode.variableWeight(node, constants).isEmpty()) {
                LstmNode lstm = LstmNode.of(node, opset, constants, tensors);
                numbers.put(node, lstms.size());
                lstms.add(lstm.withoutInitialStates(
                        lstm.initialH().filter(zeros::isZero).isPresent(),
                        lstm.initialC().filter(zeros::isZero).isPresent()));
            }
        }
        below = new int[lstms.size()];
        link(new AxisTracker(graph, opset, constants, tensors));
        live = unlinkUntilNothingElseNeedsAnOutput();
        collect();
    }

    /**
     * Finds the chains of a graph.
     *
     * @param file what messages call it
     * @param graph a checked graph, whose nodes are in an order in which they can run
     * @param opset the version of the default domain's operators
     * @param constants the graph's constants, the folded ones among them
     * @throws io.github.cellfuse.InvalidInputException when an LSTM node is wrong; the message names it
     */
    public static LstmChains of(Object file, GraphProto graph, long opset, Constants constants, OnnxTensors tensors) {
        return new LstmChains(new GraphIndex(file, graph), opset, constants, tensors);
    }

    /** In the order in which their last nodes are in the graph; those that no output of the graph needs are left out. */
    public List<LstmChain> chains() {
        return List.copyOf(chains);
    }

    /** Returns the nodes that are needed besides the chains, in the order of the graph. */
    public List<OnnxNode> others() {
        return graph.nodes().stream()
                .filter(node -> live.contains(node) && !numbers.containsKey(node))
                .toList();
    }

    private void link(AxisTracker axes) {
        int[] chainOf = new int[lstms.size()], readers = new int[lstms.size()];
        for (int k = 0; k < lstms.size(); k++) {
            LstmNode lstm = lstms.get(k);
            Optional<Arrangement> x = axes.find(lstm.x()).filter(found -> hasTimeAndBatch(lstm, found));
            below[k] = NONE;
            chainOf[k] = x.map(found -> chain(found)).orElse(k);
            if (x.isEmpty()) {
                axes.defineInput(lstm, k);
            } else if (x.get().owner() != NONE
                    && canFollow(lstm, lstms.get(x.get().owner()), x.get(), chainOf[k])) {
                below[k] = x.get().owner();
                readers[below[k]]++;
            }
            axes.defineOutput(lstm, chainOf[k], k);
        }
        for (int k = 0; k < lstms.size(); k++) {
            if (below[k] != NONE && readers[below[k]] > 1) {
                below[k] = NONE;
            }
        }
    }

    /** Returns the chain whose time and batch an arrangement has; none where it has neither first. */
    private static int chain(Arrangement x) {
        return x.dimensions().stream()
                .limit(1)
                .flatMap(List::stream)
                .flatMap(axis -> axis.size().symbols().stream())
                .findFirst()
                .map(AxisSize.Symbol::chain)
                .orElse(NONE);
    }

    /** Returns whether an LSTM with this X has the time and the batch of another that is known. */
    private static boolean hasTimeAndBatch(LstmNode lstm, Arrangement x) {
        Arrangement wanted = AxisTracker.input(lstm, chain(x), x.owner(), 1, 1);
        return x.rank() == wanted.rank()
                && x.dimensions().subList(0, 2).equals(wanted.dimensions().subList(0, 2))
                && x.dimensions().get(2).stream().noneMatch(a -> a.kind() == Kind.TIME || a.kind() == Kind.BATCH);
    }

    private static boolean canFollow(LstmNode lstm, LstmNode owner, Arrangement x, int chain) {
        Arrangement wanted = AxisTracker.input(
                lstm,
                chain,
                x.owner(),
                owner.layer().directionCount(),
                owner.layer().hiddenSize());
        return x.equals(wanted)
                && lstm.sequenceLens().equals(owner.sequenceLens())
                && lstm.elementType() == owner.elementType();
    }

    /** Returns the nodes that the graph's outputs need; an X that comes within a chain isn't needed. */
    private Set<OnnxNode> unlinkUntilNothingElseNeedsAnOutput() {
        while (true) {
            Set<String> needed = new HashSet<>();
            Set<OnnxNode> reached = needed(needed);
            boolean isCut = false;
            for (int k = 0; k < below.length; k++) {
                Optional<String> y = below[k] == NONE
                        ? Optional.empty()
                        : lstms.get(below[k]).y();
                if (y.filter(needed::contains).isPresent()) {
                    below[k] = NONE;
                    isCut = true;
                }
            }
            if (!isCut) {
                return reached;
            }
        }
    }

    private Set<OnnxNode> needed(Set<String> names) {
        Set<OnnxNode> reached = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<String> open = new ArrayDeque<>(graph.outputs());
        while (!open.isEmpty()) {
            String name = open.remove();
            if (names.add(name)) {
                graph.producer(name).ifPresent(node -> reach(node, reached, open));
            }
        }
        return reached;
    }

    /** Adds {@code node}, and the LSTMs below it in its chain, with the names that they need. */
    private void reach(OnnxNode node, Set<OnnxNode> reached, Deque<String> open) {
        OnnxNode at = node;
        while (reached.add(at)) {
            Integer number = numbers.get(at);
            if (number == null) {
                open.addAll(Subgraphs.needs(at.proto()));
                return;
            }
            LstmNode lstm = lstms.get(number);
            Stream.of(lstm.sequenceLens(), lstm.initialH(), lstm.initialC())
                    .flatMap(Optional::stream)
                    .forEach(open::add);
            if (below[number] == NONE) {
                open.add(lstm.x());
                return;
            }
            at = lstms.get(below[number]).node();
        }
    }

    private void collect() {
        boolean[] isBelow = new boolean[lstms.size()];
        for (int k = 0; k < lstms.size(); k++) {
            if (below[k] != NONE && live.contains(lstms.get(k).node())) {
                isBelow[below[k]] = true;
            }
        }
        for (int top = 0; top < lstms.size(); top++) {
            if (!isBelow[top] && live.contains(lstms.get(top).node())) {
                Deque<LstmNode> nodes = new ArrayDeque<>();
                for (int k = top; k != NONE; k = below[k]) {
                    nodes.addFirst(lstms.get(k));
                }
                chains.add(LstmChain.of(List.copyOf(nodes)));
            }
        }
    }
}

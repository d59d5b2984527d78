package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Arrangement.Kind;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The LSTM nodes of a graph, joined into chains. One LSTM follows another in a chain if all of these hold:
 *
 * <ul>
 *   <li>Its X is the other's Y after nodes that only move axes: Squeeze, Unsqueeze, Transpose, Reshape, Flatten,
 *       Identity, Dropout, Cast to the same type.
 *   <li>All steps, rows, directions and units are preserved, in their order.
 *   <li>Both have the same sequence_lens, or none, and the same element type.
 *   <li>Nothing else needs the values between them. A shape computed from one of them counts only if something else
 *       needs it.
 * </ul>
 *
 * <p>Nodes in subgraphs, and LSTMs whose weights aren't constant, don't belong to any chain. Immutable and thread safe.
 */
public final class LstmChains {
    private static final int NONE = -1;

    /** The indices of initial_h and initial_c among an LSTM's inputs. */
    private static final int[] INITIAL_STATES = {5, 6};

    private final GraphIndex graph;
    private final List<LstmNode> lstms = new ArrayList<>();
    private final Map<OnnxNode, Integer> numbers = new IdentityHashMap<>();
    /** For each LSTM, the one whose Y is its X, or {@link #NONE}. */
    private final int[] below;

    private final Set<OnnxNode> live;
    private final List<LstmChain> chains = new ArrayList<>();

    private LstmChains(GraphIndex graph, long opset, Constants constants, OnnxTensors tensors) {
        this.graph = graph;
        Zeros zeros = new Zeros(graph, constants, tensors);
        SharedWeights shared = new SharedWeights();
        for (OnnxNode node : graph.nodes()) {
            if (node.is("LSTM") && LstmNode.variableWeight(node, constants).isEmpty()) {
                LstmNode lstm = LstmNode.of(node, opset, constants, tensors, shared);
                numbers.put(node, lstms.size());
                lstms.add(lstm.withoutInitialStates(
                        lstm.initialH().filter(zeros::isZero).isPresent(),
                        lstm.initialC().filter(zeros::isZero).isPresent()));
            }
        }
        below = new int[lstms.size()];
        link(new AxisTracker(graph, opset, constants, tensors));
        live = unlinkWhatElseIsNeeded();
        collect();
    }

    /**
     * Finds the chains of a graph.
     *
     * @param file the file's name in messages
     * @param graph a checked graph, with its nodes in an executable order
     * @param opset the opset version of the default domain
     * @param constants the graph's constants, including folded ones
     * @throws io.github.cellfuse.InvalidInputException when an LSTM node is invalid; the message names it
     */
    public static LstmChains of(Object file, GraphProto graph, long opset, Constants constants, OnnxTensors tensors) {
        return new LstmChains(new GraphIndex(file, graph), opset, constants, tensors);
    }

    /**
     * Returns the nodes of a graph with the initial states of LSTMs left out that are zeros, however they are computed.
     *
     * @param file the file's name in messages
     * @param constants the graph's constants, including folded ones
     */
    public static List<NodeProto> withoutZeroStates(
            Object file, GraphProto graph, Constants constants, OnnxTensors tensors) {
        GraphIndex index = new GraphIndex(file, graph);
        Zeros zeros = new Zeros(index, constants, tensors);
        List<NodeProto> nodes = new ArrayList<>();
        for (OnnxNode node : index.nodes()) {
            NodeProto.Builder changed = null;
            for (int k : INITIAL_STATES) {
                if (node.is("LSTM") && node.input(k).filter(zeros::isZero).isPresent()) {
                    changed = changed == null ? node.proto().toBuilder() : changed;
                    changed.setInput(k, "");
                }
            }
            nodes.add(changed == null ? node.proto() : changed.build());
        }
        return nodes;
    }

    /** Returns the chains that the graph's outputs need, in the order of their last nodes in the graph. */
    public List<LstmChain> chains() {
        return List.copyOf(chains);
    }

    /** Returns the other nodes that the graph's outputs need, in the order of the graph. */
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

    /** Returns the chain whose time or batch is the first dimension of an arrangement, or {@link #NONE}. */
    private static int chain(Arrangement x) {
        return x.dimensions().stream()
                .limit(1)
                .flatMap(List::stream)
                .flatMap(axis -> axis.size().symbols().stream())
                .findFirst()
                .map(AxisSize.Symbol::chain)
                .orElse(NONE);
    }

    /** Returns whether the first two dimensions of this X are the time and the batch of a known chain. */
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

    /**
     * Cuts each chain at a Y that something outside the chain needs, and returns the nodes that the graph's outputs
     * need. The nodes between two LSTMs of a chain aren't needed. A cut only adds to what is needed, so one pass
     * suffices.
     */
    private Set<OnnxNode> unlinkWhatElseIsNeeded() {
        Map<String, Integer> above = new HashMap<>();
        for (int k = 0; k < below.length; k++) {
            int upper = k;
            if (below[k] != NONE) {
                lstms.get(below[k]).y().ifPresent(y -> above.put(y, upper));
            }
        }
        Set<String> names = new HashSet<>();
        Set<OnnxNode> reached = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<String> open = new ArrayDeque<>(graph.outputs());
        while (!open.isEmpty()) {
            String name = open.remove();
            if (names.add(name)) {
                Integer upper = above.get(name);
                if (upper != null) {
                    below[upper] = NONE;
                    if (reached.contains(lstms.get(upper).node())) {
                        open.add(lstms.get(upper).x());
                    }
                }
                graph.producer(name).ifPresent(node -> reach(node, reached, open));
            }
        }
        return reached;
    }

    /**
     * Adds {@code node} and the LSTMs below it in its chain to {@code reached}, and the names that they need to
     * {@code open}.
     */
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

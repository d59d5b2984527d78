package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import io.github.cellfuse.onnx.shape.RowAxes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Turns a model that runs frame by frame into one that runs many frames at once.
 *
 * <pre>
 *            frame by frame                          many frames at once
 *
 *   frame ──► before ──► LSTM ──► after ──► result   frames ──► before ──► LSTM, a step ──► after ──► results
 *                         ▲ │                        as rows               for each frame   as rows
 *   state ──► unpack ─────┘ └──► pack ──► state                             ▲     │
 *                                                    state ──► unpack ──────┘     └──► pack ──► state
 * </pre>
 *
 * <p>The nodes before and after the LSTMs treat the frames as rows. The LSTMs treat the frames of a stream as the steps
 * of a sequence. The nodes that unpack and pack the states run once, and must only move elements.
 */
final class FrameSequences {
    /** The operators that only move elements. */
    private static final Set<String> MOVING = Set.of(
            "Concat",
            "Flatten",
            "Gather",
            "Identity",
            "Reshape",
            "Slice",
            "Split",
            "Squeeze",
            "Transpose",
            "Unsqueeze");

    private static final long RESHAPE_HAS_INPUTS = 5;

    private final OnnxModel model;
    private final Map<String, String> states;
    private final RowAxes axes;
    private final WorkingGraph graph;
    private final Map<String, NodeProto> producers = new HashMap<>();
    /** The LSTMs whose states pass from frame to frame. */
    private final List<LstmPart> carrying = new ArrayList<>();

    private final Map<String, FinalState> finals = new HashMap<>();
    private final Set<NodeProto> frameNodes = identitySet();
    private final Set<NodeProto> stateNodes = identitySet();
    /** The dimensions of the first input of each node for frames. */
    private final Map<String, long[]> dimensions = new HashMap<>();

    private final String counts;

    /** A final state of one of the LSTMs that carry states. */
    private record FinalState(LstmPart part, int layer, boolean isHidden) {}

    /** Leaves the search for a way to run many frames at once. */
    private static final class NotSequences extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotSequences(String reason) {
            super(reason, null, false, false);
        }
    }

    private FrameSequences(OnnxModel model, Map<String, String> states, RowAxes axes) {
        this.model = model;
        this.states = states;
        this.axes = axes;
        graph = new WorkingGraph(model.graph());
        counts = graph.freshName("frames");
        for (Part part : model.parts()) {
            if (part instanceof RuntimePart runtime) {
                for (NodeProto node : runtime.nodes()) {
                    node.getOutputList().forEach(output -> producers.put(output, node));
                }
            }
        }
    }

    private static Set<NodeProto> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /**
     * Returns the model for many frames at once, or why there is none.
     *
     * @param model a model whose rows don't depend on each other
     * @param states the output that becomes each state in the next call
     * @param axes the axes of the rows
     */
    static SequencePlan of(OnnxModel model, Map<String, String> states, RowAxes axes) {
        FrameSequences search = new FrameSequences(model, states, axes);
        try {
            search.findCarrying();
            search.findNodes();
            OnnxModel sequences = search.build();
            search.probe();
            return new SequencePlan(Optional.of(new SequenceModel(sequences, search.counts)), "");
        } catch (NotSequences e) {
            return new SequencePlan(Optional.empty(), e.getMessage());
        }
    }

    private void findCarrying() {
        for (LstmPart part : model.lstms()) {
            boolean carries = part.states().stream()
                    .flatMap(layer -> Stream.of(layer.initialH(), layer.initialC()))
                    .flatMap(Optional::stream)
                    .anyMatch(this::readsState);
            if (!carries) {
                continue;
            }
            boolean areAll = part.states().stream()
                    .allMatch(layer ->
                            layer.initialH().isPresent() && layer.initialC().isPresent());
            boolean isForward =
                    part.model().layers().stream().allMatch(layer -> layer.direction() == Direction.FORWARD);
            if (!areAll || !isForward || part.sequenceLens().isPresent() || part.type() != ElementType.FLOAT32) {
                throw new NotSequences(part.label() + " isn't an ordinary forward LSTM with both states");
            }
            carrying.add(part);
            for (int layer = 0; layer < part.states().size(); layer++) {
                int at = layer;
                LstmPart.States names = part.states().get(layer);
                names.yH().ifPresent(name -> finals.put(name, new FinalState(part, at, true)));
                names.yC().ifPresent(name -> finals.put(name, new FinalState(part, at, false)));
            }
        }
        if (carrying.isEmpty()) {
            throw new NotSequences("no LSTM on the device begins with a state");
        }
        if (!model.areRowsOutermost(axes, carrying.stream().map(LstmPart::x).toList())) {
            throw new NotSequences("the rows of an LSTM's input don't come first");
        }
    }

    private boolean readsState(String name) {
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(name));
        while (!open.isEmpty()) {
            String next = open.pop();
            if (states.containsKey(next)) {
                return true;
            }
            if (seen.add(next) && producers.containsKey(next)) {
                open.addAll(Subgraphs.needs(producers.get(next)));
            }
        }
        return false;
    }

    private void findNodes() {
        Set<String> stateEnds = new LinkedHashSet<>(states.values()), frameEnds = new LinkedHashSet<>();
        for (LstmPart part : model.lstms()) {
            frameEnds.add(part.x());
            part.sequenceLens().ifPresent(frameEnds::add);
            for (LstmPart.States layer : part.states()) {
                Set<String> ends = carrying.contains(part) ? stateEnds : frameEnds;
                layer.initialH().ifPresent(ends::add);
                layer.initialC().ifPresent(ends::add);
            }
        }
        model.outputs().stream()
                .map(GraphValue::name)
                .filter(name -> !states.containsValue(name))
                .forEach(frameEnds::add);
        for (String end : frameEnds) {
            if (finals.containsKey(end)) {
                throw new NotSequences("'" + end + "' is a final state");
            }
        }
        collect(frameEnds, frameNodes, this::checkFrameValue);
        collect(stateEnds, stateNodes, this::checkStateValue);
        for (NodeProto node : stateNodes) {
            boolean isMoving = MOVING.contains(node.getOpType()) && OnnxNode.isDefaultDomain(node.getDomain());
            if (!isMoving) {
                throw new NotSequences(OnnxNode.of(graph.path(), 0, node).label() + " computes with a state");
            }
        }
    }

    private interface Check {
        /** Checks a value that no node computes, and that isn't constant. */
        void accept(String name);
    }

    private void collect(Collection<String> ends, Set<NodeProto> nodes, Check check) {
        Deque<String> open = new ArrayDeque<>(ends);
        Set<String> seen = new HashSet<>();
        while (!open.isEmpty()) {
            String name = open.pop();
            if (!seen.add(name) || graph.isConstant(name)) {
                continue;
            }
            NodeProto node = producers.get(name);
            if (node == null) {
                check.accept(name);
            } else if (nodes.add(node)) {
                open.addAll(Subgraphs.needs(node));
            }
        }
    }

    private void checkFrameValue(String name) {
        if (states.containsKey(name)) {
            throw new NotSequences("a result depends on state '" + name + "' directly");
        }
        FinalState state = finals.get(name);
        if (state != null
                && !(state.isHidden() && state.layer() == state.part().states().size() - 1)) {
            throw new NotSequences("a result depends on '" + name + "', a state after each frame");
        }
    }

    private void checkStateValue(String name) {
        if (!states.containsKey(name) && !finals.containsKey(name)) {
            throw new NotSequences("a state depends on '" + name + "'");
        }
    }

    private OnnxModel build() {
        Map<String, String> stateNames = new HashMap<>(), frameNames = new HashMap<>();
        for (NodeProto node : frameNodes) {
            if (stateNodes.contains(node)) {
                for (String output : node.getOutputList()) {
                    boolean isState = states.containsValue(output);
                    (isState ? frameNames : stateNames).put(output, graph.freshName(output));
                }
            }
        }
        dimensions.putAll(model.dimensions(frameNodes.stream()
                .filter(node -> node.getInputCount() > 0)
                .map(node -> node.getInput(0))
                .toList()));
        Map<LstmPart, LstmPart> replaced = new IdentityHashMap<>();
        carrying.forEach(part -> replaced.put(part, overFrames(part, stateNames)));
        List<Part> parts = new ArrayList<>();
        for (Part part : model.parts()) {
            if (part instanceof RuntimePart runtime) {
                List<NodeProto> nodes = nodes(runtime, stateNames, frameNames, replaced);
                if (!nodes.isEmpty()) {
                    parts.add(RuntimePart.of(nodes, graph, Set.of()));
                }
            } else if (part instanceof LstmPart lstm) {
                parts.add(replaced.getOrDefault(lstm, lstm));
            }
        }
        graph.declareFrames(axes.inputs(), states.keySet());
        TensorShapeProto.Dimension streams =
                TensorShapeProto.Dimension.newBuilder().setDimParam("streams").build();
        graph.addInput(OnnxTypes.declare(counts, ElementType.INT32, streams));
        return new OnnxModel(model, graph, connected(parts));
    }

    private LstmPart overFrames(LstmPart part, Map<String, String> names) {
        List<LstmPart.States> renamed = part.states().stream()
                .map(layer -> new LstmPart.States(
                        layer.byRow(),
                        layer.initialH().map(name -> names.getOrDefault(name, name)),
                        layer.initialC().map(name -> names.getOrDefault(name, name)),
                        layer.yH(),
                        layer.yC()))
                .toList();
        // The hidden state after each frame is taken from Y.
        boolean needsY = renamed.get(renamed.size() - 1).yH().stream()
                .anyMatch(h -> frameNodes.stream()
                        .anyMatch(node -> Subgraphs.needs(node).contains(h)));
        return part.overFrames(
                counts,
                renamed,
                needsY ? Optional.of(graph.freshName(part.nodes().get(0) + "/Y")) : Optional.empty());
    }

    /** Returns the nodes of a part: those for the frames, and those for the states. */
    private List<NodeProto> nodes(
            RuntimePart part,
            Map<String, String> stateNames,
            Map<String, String> frameNames,
            Map<LstmPart, LstmPart> replaced) {
        List<NodeProto> nodes = new ArrayList<>();
        Map<String, String> names = new HashMap<>(frameNames);
        List<NodeProto> ofFrames =
                part.nodes().stream().filter(frameNodes::contains).toList();
        for (NodeProto node : ofFrames) {
            for (String name : Subgraphs.needs(node)) {
                if (finals.containsKey(name) && !names.containsKey(name)) {
                    names.put(name, graph.freshName(name));
                    nodes.addAll(lastSteps(replaced.get(finals.get(name).part()), names.get(name)));
                }
            }
        }
        Renaming frames = Renaming.of(names), stateRenaming = Renaming.of(stateNames);
        for (NodeProto node : ofFrames) {
            Optional<long[]> x = Optional.ofNullable(dimensions.get(node.getInputCount() == 0 ? "" : node.getInput(0)));
            nodes.addAll(ShortConvolutions.replaced(frames.apply(node), x, graph));
        }
        for (NodeProto node : part.nodes()) {
            if (stateNodes.contains(node)) {
                NodeProto copy = stateRenaming.apply(node);
                nodes.add(
                        frameNodes.contains(node) ? copy.toBuilder().clearName().build() : copy);
            }
        }
        return nodes;
    }

    /** Returns nodes that compute the hidden state after each frame, {@code name}, from Y. */
    private List<NodeProto> lastSteps(LstmPart part, String name) {
        if (graph.opset() < RESHAPE_HAS_INPUTS) {
            throw new NotSequences("opset " + graph.opset() + " can't reshape to a computed shape");
        }
        LstmPart.States top = part.states().get(part.states().size() - 1);
        long width = part.model().last().stateSize();
        String last = graph.freshName(name + "/last"),
                index = graph.freshName("last step"),
                shape = graph.freshName("shape");
        graph.define(index, RuntimeFolding.toProto(Tensor.of(new long[] {-1})));
        long[] target = top.byRow() ? new long[] {-1, 1, width} : new long[] {1, -1, width};
        graph.define(shape, RuntimeFolding.toProto(Tensor.of(target, target.length)));
        boolean isByTime = part.outputLayout() == Layout.TIME_MAJOR;
        AttributeProto axis = AttributeProto.newBuilder()
                .setName("axis")
                .setType(AttributeType.INT)
                .setI(isByTime ? 0 : 1)
                .build();
        return List.of(
                NodeProto.newBuilder()
                        .setOpType("Gather")
                        .addInput(part.y().orElseThrow())
                        .addInput(index)
                        .addOutput(last)
                        .addAttribute(axis)
                        .build(),
                NodeProto.newBuilder()
                        .setOpType("Reshape")
                        .addInput(last)
                        .addInput(shape)
                        .addOutput(name)
                        .build());
    }

    /** Returns the same parts with the outputs that other parts read. */
    private List<Part> connected(List<Part> parts) {
        Set<String> wanted = new HashSet<>();
        model.outputs().forEach(output -> wanted.add(output.name()));
        parts.forEach(part -> wanted.addAll(part.inputs()));
        return parts.stream()
                .map(part ->
                        part instanceof RuntimePart runtime ? RuntimePart.of(runtime.nodes(), graph, wanted) : part)
                .toList();
    }

    /**
     * Checks that each state of the next call is the final state of the same LSTM. The nodes in between only move
     * elements, so it is enough to try it once, with numbers that are all different.
     */
    private void probe() {
        Map<String, Tensor> given = new LinkedHashMap<>();
        Map<String, String> expected = new LinkedHashMap<>();
        int next = 1;
        int rows = 2;
        for (LstmPart part : carrying) {
            for (int layer = 0; layer < part.states().size(); layer++) {
                LstmPart.States names = part.states().get(layer);
                for (boolean isHidden : new boolean[] {true, false}) {
                    int width = isHidden
                            ? part.model().layer(layer).stateSize()
                            : part.model().layer(layer).hiddenSize();
                    Optional<String> last = isHidden ? names.yH() : names.yC();
                    String first = (isHidden ? names.initialH() : names.initialC()).orElseThrow();
                    if (last.isEmpty()) {
                        throw new NotSequences("the final state of " + part.label() + " isn't passed on");
                    }
                    float[] values = new float[rows * width];
                    for (int k = 0; k < values.length; k++) {
                        values[k] = next++;
                    }
                    given.put(
                            last.get(),
                            names.byRow() ? Tensor.of(values, rows, 1, width) : Tensor.of(values, 1, rows, width));
                    expected.put(first, last.get());
                }
            }
        }
        Map<String, Tensor> found = StateProbe.run(graph, stateNodes, states, given, expected.keySet());
        expected.forEach((first, last) -> {
            Tensor passed = found.get(first);
            boolean isSame = Arrays.equals(passed.shape(), given.get(last).shape())
                    && passed.bytes().equals(given.get(last).bytes());
            if (!isSame) {
                throw new NotSequences("'" + first + "' isn't '" + last + "' of the call before");
            }
        });
    }
}

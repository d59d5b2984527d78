package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.LstmChain;
import io.github.cellfuse.onnx.LstmNode;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns chains of LSTM nodes into parts of a graph. The transposes before and after a chain, which every exporter
 * writes, become a piece of the part: the device reads and writes the order that is needed, so nothing has to transpose
 * tensors.
 */
final class ChainParts {
    private final WorkingGraph graph;
    private final Map<String, NodeProto> producers;
    private final Map<String, List<NodeProto>> readers = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();

    ChainParts(WorkingGraph graph) {
        this.graph = graph;
        producers = graph.producers();
        for (NodeProto node : graph.nodes()) {
            Subgraphs.needs(node)
                    .forEach(name -> readers.computeIfAbsent(name, n -> new ArrayList<>())
                            .add(node));
        }
        graph.outputs().forEach(output -> outputs.add(output.getName()));
    }

    /** A value that is the input or output of a chain. */
    private record Port(String name, Layout layout, boolean isMerged) {}

    LstmPart of(LstmChain chain) {
        LstmNode first = chain.first(), last = chain.last();
        Port x = new Port(first.x(), first.layout(), false);
        Optional<Port> turned = turned(first.x()).map(name -> new Port(name, opposite(first.layout()), false));
        Optional<Port> y = last.y().map(name -> new Port(name, last.layout(), false));
        Optional<Port> merged = y.flatMap(port -> merged(last, port.name()));
        Optional<Port> exchanged = merged.flatMap(this::exchanged);
        LstmPart best = null;
        // The ports that include the most nodes come first. Best is a part whose results the device can write in place.
        for (Optional<Port> output : y.isEmpty() ? List.of(y) : List.of(exchanged, merged, y)) {
            for (Optional<Port> input : List.of(turned, Optional.of(x))) {
                if (input.isPresent() && output.isPresent() == y.isPresent()) {
                    LstmPart part = part(chain, input.get(), output);
                    if (output.isEmpty() || part.hasSessionsOrder()) {
                        return part;
                    }
                    best = part;
                }
            }
        }
        return best; // the chain without other nodes
    }

    private static LstmPart part(LstmChain chain, Port x, Optional<Port> y) {
        List<LstmPart.States> states = chain.nodes().stream()
                .map(node -> new LstmPart.States(
                        node.layout() == Layout.BATCH_MAJOR, node.initialH(), node.initialC(), node.yH(), node.yC()))
                .toList();
        return new LstmPart(
                chain.nodes().stream().map(lstm -> name(lstm.node().proto())).toList(),
                chain.model(),
                OnnxTypes.ofCode(chain.first().elementType()).orElse(ElementType.FLOAT32),
                x.name(),
                x.layout(),
                chain.first().sequenceLens(),
                Optional.empty(),
                states,
                y.map(Port::name),
                y.map(Port::layout).orElse(x.layout()),
                y.map(Port::isMerged).orElse(false));
    }

    /** Returns the layers of a chain as separate chains. */
    static List<LstmChain> split(LstmChain chain) {
        return chain.nodes().stream()
                .map(node -> new LstmChain(List.of(node), new LstmModel(List.of(node.layer()))))
                .toList();
    }

    /** Returns a node's name for the user: its own, or that of its first output; empty if it has neither. */
    static String name(NodeProto node) {
        return node.getName().isEmpty()
                ? node.getOutputList().stream()
                        .filter(o -> !o.isEmpty())
                        .findFirst()
                        .orElse("")
                : node.getName();
    }

    /** Returns the value of which {@code x} is the transpose of time and batch, if there is one. */
    private Optional<String> turned(String x) {
        return Optional.ofNullable(producers.get(x))
                .filter(node -> isTranspose(node, List.of(1L, 0L, 2L)))
                .map(node -> node.getInput(0));
    }

    /** Returns the output after the nodes that join the directions, if nothing else reads Y. */
    private Optional<Port> merged(LstmNode lstm, String y) {
        Optional<NodeProto> next = onlyReader(y);
        // The directions are apart in [T,D,N,H], but already adjacent to the units in [N,T,D,H].
        boolean isApart = lstm.layout() == Layout.TIME_MAJOR;
        if (isApart
                && next.filter(node -> isTranspose(node, List.of(0L, 2L, 1L, 3L)))
                        .isPresent()) {
            next = next.flatMap(node -> onlyReader(node.getOutput(0)));
            isApart = false;
        }
        boolean before = isApart;
        return next.filter(node -> isMerging(node, lstm, before))
                .map(node -> new Port(node.getOutput(0), lstm.layout(), true));
    }

    /** Returns the output after the node that exchanges time and batch, if nothing else reads {@code merged}. */
    private Optional<Port> exchanged(Port merged) {
        return onlyReader(merged.name())
                .filter(node -> isTranspose(node, List.of(1L, 0L, 2L)))
                .map(node -> new Port(node.getOutput(0), opposite(merged.layout()), true));
    }

    private static Layout opposite(Layout layout) {
        return layout == Layout.TIME_MAJOR ? Layout.BATCH_MAJOR : Layout.TIME_MAJOR;
    }

    /** Returns whether a node reshapes Y to three dimensions, the last of which holds all directions. */
    private boolean isMerging(NodeProto node, LstmNode lstm, boolean isApart) {
        OnnxNode known = OnnxNode.of(graph.path(), 0, node);
        int directions = lstm.layer().directionCount();
        if (known.is("Squeeze") && directions == 1) {
            return known.input(1)
                    .flatMap(this::constant)
                    .or(() -> known.integers("axes"))
                    .filter(List.of(isApart ? 1L : 2L)::equals)
                    .isPresent();
        }
        if (known.is("Reshape") && !isApart && known.integer("allowzero", 0) == 0) {
            long width = (long) directions * lstm.layer().stateSize();
            return known.input(1)
                    .flatMap(this::constant)
                    .filter(shape -> shape.equals(List.of(0L, 0L, -1L)) || shape.equals(List.of(0L, 0L, width)))
                    .isPresent();
        }
        return false;
    }

    private Optional<List<Long>> constant(String name) {
        return graph.find(name)
                .filter(tensor -> OnnxTypes.ofCode(tensor.getDataType())
                        .filter(ElementType::isInteger)
                        .isPresent())
                .map(tensor -> {
                    List<Long> values = new ArrayList<>();
                    for (long value : graph.tensors().longs(tensor)) {
                        values.add(value);
                    }
                    return values;
                });
    }

    private boolean isTranspose(NodeProto node, List<Long> permutation) {
        OnnxNode known = OnnxNode.of(graph.path(), 0, node);
        return known.is("Transpose")
                && known.integers("perm").filter(permutation::equals).isPresent();
    }

    private Optional<NodeProto> onlyReader(String name) {
        List<NodeProto> all = readers.getOrDefault(name, List.of());
        return outputs.contains(name) || all.size() != 1 ? Optional.empty() : Optional.of(all.get(0));
    }
}

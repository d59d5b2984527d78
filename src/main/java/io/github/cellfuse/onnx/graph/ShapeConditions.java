package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Conditions that inputs reach only through Shape or Size: the shapes of the inputs decide them. */
final class ShapeConditions {
    private final WorkingGraph graph;
    private final Map<String, NodeProto> producers;
    private final Set<String> byShapes = new HashSet<>();

    ShapeConditions(WorkingGraph graph) {
        this.graph = graph;
        producers = graph.producers();
        follow();
    }

    private static boolean readsShape(NodeProto node) {
        boolean isShape = node.getOpType().equals("Shape") || node.getOpType().equals("Size");
        return isShape && OnnxNode.isDefaultDomain(node.getDomain());
    }

    /** Returns whether an If holds an LSTM that would move to a device if the shapes of the inputs were known. */
    static boolean hideLstms(WorkingGraph graph) {
        ShapeConditions conditions = new ShapeConditions(graph);
        return graph.labelled().stream()
                .filter(node -> node.is("If") && Simplifier.holdsLstm(node.proto()))
                .anyMatch(node -> node.input(0).filter(conditions::isByShapes).isPresent());
    }

    /** Returns whether the shapes of the inputs decide the value {@code name}, and constants alone don't. */
    boolean isByShapes(String name) {
        return !graph.isConstant(name) && byShapes.contains(name);
    }

    /** Finds the values that the inputs reach only through Shape and Size, if at all. */
    private void follow() {
        Set<String> fixed = new HashSet<>();
        for (NodeProto node : graph.nodes()) {
            boolean isMeasured = readsShape(node), isByShapes = isMeasured, isKnown = true;
            for (String name : isMeasured ? Set.<String>of() : Subgraphs.needs(node)) {
                boolean isFixed = graph.isConstant(name) || fixed.contains(name);
                isByShapes |= !isFixed && byShapes.contains(name);
                isKnown &= isFixed || byShapes.contains(name);
            }
            if (isKnown) {
                (isByShapes ? byShapes : fixed).addAll(node.getOutputList());
            }
        }
    }

    /** Returns the nodes Shape and Size through which inputs reach some values that are decided by shapes. */
    private Set<NodeProto> measured(Collection<String> names) {
        Set<NodeProto> found = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(names);
        while (!open.isEmpty()) {
            String next = open.pop();
            NodeProto node = graph.isConstant(next) || !seen.add(next) ? null : producers.get(next);
            if (node != null && readsShape(node)) {
                found.add(node);
            } else if (node != null) {
                open.addAll(Subgraphs.needs(node));
            }
        }
        return found;
    }

    /**
     * Asks ONNX Runtime for the shapes that decide some conditions. Those that it infers before a run become constants.
     *
     * @return whether there are any
     */
    boolean infer(Collection<String> conditions) {
        Set<NodeProto> readers =
                measured(conditions.stream().filter(this::isByShapes).toList());
        Set<String> values = new LinkedHashSet<>();
        readers.stream()
                .map(node -> node.getInput(0))
                .filter(producers::containsKey)
                .forEach(values::add);
        if (values.isEmpty()) {
            return false;
        }
        Map<String, long[]> shapes = shapes(values);
        boolean isChanged = false;
        for (NodeProto reader : readers) {
            long[] shape = shapes.get(reader.getInput(0));
            Optional<Tensor> result =
                    shape == null || graph.isConstant(reader.getOutput(0)) ? Optional.empty() : result(reader, shape);
            if (result.isPresent()) {
                graph.define(reader.getOutput(0), RuntimeFolding.toProto(result.get()));
                isChanged = true;
            }
        }
        return isChanged;
    }

    /** Returns what a node gives for a shape; nothing for a size that overflows. */
    private Optional<Tensor> result(NodeProto reader, long[] shape) {
        if (reader.getOpType().equals("Size")) {
            BigInteger size =
                    Arrays.stream(shape).mapToObj(BigInteger::valueOf).reduce(BigInteger.ONE, BigInteger::multiply);
            return size.bitLength() < Long.SIZE
                    ? Optional.of(Tensor.of(new long[] {size.longValue()}))
                    : Optional.empty();
        }
        OnnxNode node = OnnxNode.of(graph.path(), 0, reader);
        int from = limit(node.integer("start", 0), shape.length),
                to = limit(node.integer("end", shape.length), shape.length);
        long[] part = from < to ? Arrays.copyOfRange(shape, from, to) : new long[0];
        return Optional.of(Tensor.of(part, part.length));
    }

    private static int limit(long index, int rank) {
        return (int) Math.max(0, Math.min(index < 0 ? index + rank : index, rank));
    }

    /** Returns the shapes that ONNX Runtime infers without a run, as far as all their dimensions are known. */
    private Map<String, long[]> shapes(Set<String> values) {
        Set<NodeProto> needed = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<String> open = new ArrayDeque<>(values);
        while (!open.isEmpty()) {
            NodeProto node = producers.get(open.pop());
            if (node != null && needed.add(node)) {
                open.addAll(Subgraphs.needs(node));
            }
        }
        List<NodeProto> nodes = graph.nodes().stream().filter(needed::contains).toList();
        Set<String> read = new HashSet<>();
        nodes.forEach(node -> read.addAll(Subgraphs.needs(node)));
        List<ValueInfoProto> given = new ArrayList<>(graph.inputs());
        given.removeIf(input -> !read.contains(input.getName()));
        Map<String, long[]> shapes = new LinkedHashMap<>();
        try (OrtGraph runtime =
                OrtLibrary.openUnoptimized(graph.cut(nodes, given, values), graph.path() + ": shapes")) {
            for (String value : values) {
                runtime.declare(value)
                        .filter(type -> type.getType().getTensorType().hasShape())
                        .map(type -> type.getType().getTensorType().getShape())
                        .filter(shape -> shape.getDimList().stream().allMatch(TensorShapeProto.Dimension::hasDimValue))
                        .ifPresent(shape -> shapes.put(
                                value,
                                shape.getDimList().stream()
                                        .mapToLong(TensorShapeProto.Dimension::getDimValue)
                                        .toArray()));
            }
        }
        return shapes;
    }
}

package io.github.cellfuse.onnx.graph;

import com.google.protobuf.ByteString;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns values that depend only on constants into constants. ONNX Runtime computes them once, so they are what it would
 * compute in a run.
 *
 * <p>There are two foldings. This one covers all operators, because a graph with other nodes needs ONNX Runtime anyway.
 * {@code WeightFolding} of package {@code onnx} is plain Java, so that a file of LSTMs loads without ONNX Runtime; it
 * covers only what exporters do to weights and shapes.
 */
final class RuntimeFolding {
    /** The operators whose result differs from run to run. */
    private static final Set<String> RANDOM = Set.of(
            "RandomNormal",
            "RandomNormalLike",
            "RandomUniform",
            "RandomUniformLike",
            "Multinomial",
            "Bernoulli",
            "Dropout");

    /** The limit for a folded value: {@code GROWTH} times the bytes of the model's constants, plus {@code SLACK}. */
    private static final long GROWTH = 8, SLACK = 64L << 20;

    private final WorkingGraph graph;
    private final Map<String, NodeProto> producers;

    private RuntimeFolding(WorkingGraph graph) {
        this.graph = graph;
        producers = graph.producers();
    }

    /**
     * Turns those of the values {@code wanted} into constants that depend only on constants. Skips empty names and
     * inputs.
     */
    static void fold(WorkingGraph graph, Collection<String> wanted) {
        new RuntimeFolding(graph).fold(wanted);
    }

    private void fold(Collection<String> wanted) {
        Set<NodeProto> foldable = foldable(), needed = identitySet();
        Set<String> results = new LinkedHashSet<>();
        for (String name : wanted) {
            NodeProto node = producers.get(name);
            if (!graph.isConstant(name) && node != null && foldable.contains(node)) {
                addAncestors(node, needed);
                // All outputs of the node, so that it can be removed.
                node.getOutputList().stream()
                        .filter(output -> !output.isEmpty())
                        .forEach(results::add);
            }
        }
        if (results.isEmpty()) {
            return;
        }
        List<NodeProto> nodes = graph.nodes().stream().filter(needed::contains).toList();
        Set<String> all = new LinkedHashSet<>();
        nodes.forEach(node -> all.addAll(node.getOutputList()));
        all.remove("");
        String label = graph.path() + ": constants";
        try (OrtGraph runtime = OrtLibrary.openUnoptimized(graph.cut(nodes, List.of(), all), label);
                Values values = new Values()) {
            checkSizes(label, runtime, all, results);
            compute(runtime, values, results);
            for (String name : results) {
                graph.define(name, toProto(values.tensor(name)));
            }
        }
        graph.removeUnneeded();
    }

    /** Computes constants. Nothing but the file decides whether that works. */
    private static void compute(OrtGraph runtime, Values values, Set<String> results) {
        try {
            runtime.run(values, results);
        } catch (InvalidInputException e) {
            throw e;
        } catch (CellFuseException e) {
            throw new InvalidInputException(e.getMessage(), e);
        }
    }

    /**
     * Throws if a value, or all results together, are unreasonably large: a few bytes of a file can demand terabytes.
     */
    private void checkSizes(String label, OrtGraph runtime, Set<String> names, Set<String> results) {
        long largest = SLACK + GROWTH * graph.constantBytes(), total = 0;
        for (String name : results) {
            total += Math.min(runtime.bytes(name), largest);
        }
        if (total > largest) {
            throw new InvalidInputException(label + ": expected values of at most " + largest
                    + " bytes in all for a model with " + graph.constantBytes() + " bytes of constants, found more");
        }
        for (String name : names) {
            if (runtime.bytes(name) > largest) {
                throw new InvalidInputException(label + ": value '" + name + "': expected at most " + largest
                        + " bytes for a model with " + graph.constantBytes() + " bytes of constants, found "
                        + runtime.bytes(name));
            }
        }
    }

    /** Returns the nodes that depend only on constants. */
    private Set<NodeProto> foldable() {
        Set<NodeProto> foldable = identitySet();
        for (NodeProto node : graph.nodes()) {
            boolean isFoldable = isPure(node)
                    && Subgraphs.needs(node).stream()
                            .allMatch(name -> graph.isConstant(name) || foldable.contains(producers.get(name)));
            if (isFoldable) {
                foldable.add(node);
            }
        }
        return foldable;
    }

    /** Adds a node, and those that compute what it needs, to {@code needed}. */
    private void addAncestors(NodeProto last, Set<NodeProto> needed) {
        Deque<NodeProto> open = new ArrayDeque<>(List.of(last));
        while (!open.isEmpty()) {
            NodeProto node = open.pop();
            if (needed.add(node)) {
                for (String name : Subgraphs.needs(node)) {
                    if (!graph.isConstant(name)) {
                        open.push(producers.get(name));
                    }
                }
            }
        }
    }

    private static boolean isPure(NodeProto node) {
        return !RANDOM.contains(node.getOpType()) && OnnxNode.isDefaultDomain(node.getDomain());
    }

    private static Set<NodeProto> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /** Returns a tensor in the format of a model. */
    static TensorProto toProto(Tensor tensor) {
        ByteBuffer little = ByteBuffer.allocate(tensor.bytes().remaining()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer source = tensor.bytes();
        switch (tensor.type().bytes()) {
            case 1 -> little.duplicate().put(source);
            case 2 -> little.asShortBuffer().put(source.asShortBuffer());
            case 4 -> little.asIntBuffer().put(source.asIntBuffer());
            default -> little.asLongBuffer().put(source.asLongBuffer());
        }
        TensorProto.Builder proto = TensorProto.newBuilder()
                .setDataType(OnnxTypes.code(tensor.type()))
                .setRawData(ByteString.copyFrom(little));
        for (long dimension : tensor.shape()) {
            proto.addDims(dimension);
        }
        return proto.build();
    }
}

package io.github.cellfuse.onnx.graph;

import com.google.protobuf.ByteString;
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
        Set<NodeProto> needed = identitySet();
        Set<String> results = new LinkedHashSet<>();
        for (String name : wanted) {
            Set<NodeProto> ancestors = identitySet();
            if (!graph.isConstant(name) && producers.containsKey(name) && isFoldable(name, ancestors)) {
                needed.addAll(ancestors);
                // All outputs of the node, so that it can be removed.
                producers.get(name).getOutputList().stream()
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
            checkSizes(label, runtime, all);
            runtime.run(values, results);
            for (String name : results) {
                graph.define(name, toProto(values.tensor(name)));
            }
        }
        graph.removeUnneeded();
    }

    /** Throws if a value is unreasonably large: a few bytes of a file can demand terabytes. */
    private void checkSizes(String label, OrtGraph runtime, Set<String> names) {
        long largest = SLACK + GROWTH * graph.constantBytes();
        for (String name : names) {
            if (runtime.bytes(name) > largest) {
                throw new InvalidInputException(label + ": value '" + name + "': expected at most " + largest
                        + " bytes for a model with " + graph.constantBytes() + " bytes of constants, found "
                        + runtime.bytes(name));
            }
        }
    }

    /**
     * Returns whether {@code name} depends only on constants, and adds the nodes that compute it to {@code ancestors}.
     */
    private boolean isFoldable(String name, Set<NodeProto> ancestors) {
        Deque<String> open = new ArrayDeque<>(List.of(name));
        while (!open.isEmpty()) {
            String next = open.pop();
            if (graph.isConstant(next)) {
                continue;
            }
            NodeProto node = producers.get(next);
            if (node == null || !isPure(node)) {
                return false;
            }
            if (ancestors.add(node)) {
                open.addAll(Subgraphs.needs(node));
            }
        }
        return true;
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

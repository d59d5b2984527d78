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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
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

    /**
     * Nodes that ONNX Runtime computes at once. Each value is an output, whose size it then infers, and its time grows
     * with the square of the outputs.
     */
    private static final int PIECE = 1000;

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
        long largest = SLACK + GROWTH * graph.constantBytes(), left = largest;
        int first = 0;
        for (Set<String> kept : kept(nodes, results)) {
            int end = Math.min(nodes.size(), first + PIECE);
            left = compute(nodes.subList(first, end), kept, largest, left);
            first = end;
        }
        graph.removeUnneeded();
    }

    /** Returns for each piece of the nodes those of its values that are {@code results} or that later pieces read. */
    private List<Set<String>> kept(List<NodeProto> nodes, Set<String> results) {
        List<Set<String>> kept = new ArrayList<>();
        Set<String> read = new HashSet<>(results);
        int pieces = (nodes.size() + PIECE - 1) / PIECE;
        for (int piece = pieces - 1; piece >= 0; piece--) {
            List<NodeProto> own = nodes.subList(piece * PIECE, Math.min(nodes.size(), (piece + 1) * PIECE));
            Set<String> names = new LinkedHashSet<>();
            own.forEach(node -> node.getOutputList().stream()
                    .filter(name -> !name.isEmpty() && read.contains(name))
                    .forEach(names::add));
            kept.add(names);
            own.forEach(node -> read.addAll(Subgraphs.needs(node)));
        }
        Collections.reverse(kept);
        return kept;
    }

    /**
     * Makes the values {@code names} of some nodes constants.
     *
     * @param largest the limit for one value
     * @param left the limit for all of {@code names}
     * @return what is left of that limit
     */
    private long compute(List<NodeProto> nodes, Set<String> names, long largest, long left) {
        Set<String> all = new LinkedHashSet<>();
        nodes.forEach(node -> all.addAll(node.getOutputList()));
        all.remove("");
        String label = graph.path() + ": constants";
        try (OrtGraph runtime = OrtLibrary.openUnoptimized(graph.cut(nodes, List.of(), all), label);
                Values values = new Values()) {
            long bytes = checkedBytes(label, runtime, all, names, largest, left);
            compute(runtime, values, names);
            for (String name : names) {
                graph.define(name, toProto(values.tensor(name)));
            }
            return left - bytes;
        }
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
     * Returns the bytes of {@code kept}. Throws if these or any other value is unreasonably large: a few bytes of a
     * file can demand terabytes.
     */
    private static long checkedBytes(
            String label, OrtGraph runtime, Set<String> names, Set<String> kept, long largest, long left) {
        String model = "for a model with " + (largest - SLACK) / GROWTH + " bytes of constants, found ";
        for (String name : names) {
            if (runtime.bytes(name) > largest) {
                throw new InvalidInputException(label + ": value '" + name + "': expected at most " + largest
                        + " bytes " + model + runtime.bytes(name));
            }
        }
        long total = kept.stream().mapToLong(runtime::bytes).sum();
        if (total > left) {
            throw new InvalidInputException(
                    label + ": expected values of at most " + largest + " bytes in all " + model + "more");
        }
        return total;
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

package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Limits for the copies of constants that the parts of a graph need. Each part in ONNX Runtime has a copy of its
 * constants, and each different model of LSTMs one of its weights. A node that uses a constant takes a few bytes in a
 * file, so many nodes in many parts could multiply a file's size by thousands.
 */
final class CopyLimits {
    /** The copies may take {@code GROWTH} times the bytes of the constants, plus {@code SLACK}. */
    private static final long GROWTH = 16, SLACK = 64L << 20;

    private CopyLimits() {}

    /**
     * Checks the parts of a graph.
     *
     * @throws io.github.cellfuse.InvalidInputException when they need too many copies
     */
    static void check(Path file, List<Part> parts, WorkingGraph graph) {
        check(file, "constants of nodes", runtimeCopies(parts, graph), graph.constantBytes());
        Set<LstmModel> models = new HashSet<>();
        Set<float[]> arrays = Collections.newSetFromMap(new IdentityHashMap<>());
        long copies = 0;
        for (Part part : parts) {
            if (part instanceof LstmPart lstm && models.add(lstm.model())) {
                for (LstmLayer layer : new HashSet<>(lstm.model().layers())) {
                    copies += layer.parameters() * Float.BYTES;
                    layer.weights().forEach(weights -> arrays(weights).forEach(arrays::add));
                }
            }
        }
        long bytes = arrays.stream()
                .mapToLong(array -> (long) array.length * Float.BYTES)
                .sum();
        check(file, "weights of LSTMs", copies, bytes);
    }

    private static long runtimeCopies(List<Part> parts, WorkingGraph graph) {
        long copies = 0;
        for (Part part : parts) {
            if (part instanceof RuntimePart runtime) {
                for (TensorProto constant : graph.constantsOf(runtime.nodes())) {
                    copies += constant.getSerializedSize();
                }
            }
        }
        return copies;
    }

    private static Stream<float[]> arrays(LstmWeights weights) {
        return Stream.of(
                        Stream.of(weights.input(), weights.recurrent()),
                        weights.inputBias().stream(),
                        weights.recurrentBias().stream(),
                        weights.peepholes().stream())
                .flatMap(each -> each);
    }

    private static void check(Path file, String what, long copies, long bytes) {
        long largest = SLACK + GROWTH * bytes;
        if (copies > largest) {
            throw Problems.invalid(
                    file,
                    what + ": expected at most " + largest + " bytes with a copy for each part of the graph, found "
                            + copies + ": " + bytes + " bytes are shared by too many parts");
        }
    }
}

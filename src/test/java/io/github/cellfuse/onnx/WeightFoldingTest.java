package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.integers;
import static io.github.cellfuse.onnx.Graphs.longs;
import static io.github.cellfuse.onnx.Graphs.node;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What is computed of constants here is what ONNX Runtime computes of them. */
class WeightFoldingTest {
    private static final Path NAME = Path.of("model.onnx");
    private static final int ROUNDS = 200;

    @Test
    void givesWhatOnnxRuntimeGives() throws OrtException {
        long seed = TestEngines.seed(9000);
        for (int round = 0; round < ROUNDS; round++) {
            Random random = new Random(seed + round);
            ModelProto model = model(random);
            String what = "-Dcellfuse.seed=" + (seed + round) + "\n" + model.getGraph();
            TensorProto found = folded(model).find("y").orElseThrow(() -> new AssertionError("not folded: " + what));
            try (OrtSession session = session(model);
                    OrtSession.Result result = session.run(Map.of())) {
                OnnxTensor expected = (OnnxTensor) result.get(0);
                OnnxTensors tensors = new OnnxTensors(NAME);
                assertArrayEquals(expected.getInfo().getShape(), tensors.shape(found), what);
                FloatBuffer values = expected.getFloatBuffer();
                float[] all = new float[values.remaining()];
                values.get(all);
                assertArrayEquals(all, tensors.floats(found), what);
            }
        }
    }

    private static OrtSession session(ModelProto model) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            return OrtEnvironment.getEnvironment().createSession(model.toByteArray(), options);
        }
    }

    private static Constants folded(ModelProto model) {
        return OnnxFile.of(NAME, model).foldedConstants();
    }

    /** A constant w, then one to four nodes, the last of which gives y. */
    private static ModelProto model(Random random) {
        List<Long> shape = new ArrayList<>();
        for (int rank = 1 + random.nextInt(4); rank > 0; rank--) {
            shape.add(1L + random.nextInt(4));
        }
        GraphProto.Builder graph = graph(List.of(), List.of("y"));
        graph.addInitializer(Graphs.floats("w0", RandomLstm.values(random, (int) product(shape), 1), array(shape)));
        int count = 1 + random.nextInt(4);
        for (int k = 0; k < count; k++) {
            shape = add(random, graph, shape, "w" + k, k == count - 1 ? "y" : "w" + (k + 1));
        }
        return Graphs.model(graph, 14);
    }

    private static long product(List<Long> shape) {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    private static long[] array(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    /** Adds a random node, and gives its output's shape. */
    private static List<Long> add(Random random, GraphProto.Builder graph, List<Long> shape, String in, String out) {
        int rank = shape.size();
        List<Long> result = new ArrayList<>(shape);
        int axis = rank == 0 ? 0 : random.nextInt(rank);
        long written = random.nextBoolean() ? axis : axis - rank;
        switch (rank == 0 ? 5 : random.nextInt(7)) {
            case 0 -> {
                List<Integer> order = new ArrayList<>();
                for (int k = 0; k < rank; k++) {
                    order.add(k);
                }
                Collections.shuffle(order, random);
                NodeProto.Builder node = node("Transpose", List.of(in), out);
                if (random.nextBoolean()) {
                    node.addAttribute(
                            integers("perm", order.stream().mapToLong(k -> k).toArray()));
                } else {
                    Collections.sort(order, Collections.reverseOrder());
                }
                graph.addNode(node);
                result.clear();
                order.forEach(k -> result.add(shape.get(k)));
            }
            case 1 -> {
                long size = shape.get(axis), from = random.nextInt((int) size), to = from + 1 + random.nextInt(3);
                graph.addInitializer(longs(out + "from", random.nextBoolean() ? from : from - size));
                graph.addInitializer(longs(out + "to", to));
                graph.addInitializer(longs(out + "axes", written));
                graph.addNode(node("Slice", List.of(in, out + "from", out + "to", out + "axes"), out));
                result.set(axis, Math.min(to, size) - from);
            }
            case 2 -> {
                int copies = 2 + random.nextInt(2);
                graph.addNode(
                        node("Concat", Collections.nCopies(copies, in), out).addAttribute(attribute("axis", written)));
                result.set(axis, shape.get(axis) * copies);
            }
            case 3 -> {
                long[] ones = LongStream.range(0, rank)
                        .filter(k -> shape.get((int) k) == 1)
                        .toArray();
                graph.addInitializer(longs(out + "axes", ones));
                graph.addNode(node("Squeeze", List.of(in, out + "axes"), out));
                if (ones.length > 0) {
                    result.removeIf(size -> size == 1);
                }
            }
            case 4 -> {
                boolean isWhole = random.nextBoolean();
                long[] target = isWhole ? new long[] {-1} : new long[] {0, -1};
                graph.addInitializer(longs(out + "shape", target));
                graph.addNode(node("Reshape", List.of(in, out + "shape"), out));
                long all = product(shape);
                result.clear();
                result.addAll(isWhole ? List.of(all) : List.of(shape.get(0), all / shape.get(0)));
            }
            case 5 -> {
                graph.addInitializer(longs(out + "axes", axis, -1));
                graph.addNode(node("Unsqueeze", List.of(in, out + "axes"), out));
                result.add(axis, 1L);
                result.add(1L);
            }
            default -> {
                graph.addNode(node("Identity", List.of(in), out + "same"));
                graph.addNode(node("Cast", List.of(out + "same"), out + "half")
                        .addAttribute(attribute("to", DataType.FLOAT_VALUE)));
                graph.addNode(node("Identity", List.of(out + "half"), out));
            }
        }
        return result;
    }

    @Test
    void castsExactly() {
        TensorProto half = Graphs.tensor("h", DataType.FLOAT16_VALUE, 2)
                .addInt32Data(0x3C01)
                .addInt32Data(0x0001)
                .build();
        TensorProto sizes = Graphs.tensor("s", DataType.DOUBLE_VALUE, 2)
                .addDoubleData(0)
                .addDoubleData(-1)
                .build();
        Constants folded = folded(Graphs.model(
                graph(List.of(), List.of("f"))
                        .addOutput(Graphs.value("i", DataType.INT64_VALUE))
                        .addInitializer(half)
                        .addInitializer(sizes)
                        .addNode(node("Cast", List.of("h"), "f").addAttribute(attribute("to", DataType.FLOAT_VALUE)))
                        .addNode(node("Cast", List.of("s"), "i").addAttribute(attribute("to", DataType.INT64_VALUE))),
                14));
        OnnxTensors tensors = new OnnxTensors(NAME);
        assertArrayEquals(
                new float[] {1 + 0x1p-10f, 0x1p-24f},
                tensors.floats(folded.find("f").orElseThrow()));
        assertArrayEquals(new long[] {0, -1}, tensors.longs(folded.find("i").orElseThrow()));
    }

    @Test
    void readsTheAttributesOfOlderOpsets() {
        Constants folded = folded(Graphs.model(
                graph(List.of(), List.of("c"))
                        .addInitializer(Graphs.floats("w", new float[] {1, 2, 3, 4}, 4))
                        .addNode(node("Slice", List.of("w"), "a")
                                .addAttribute(integers("starts", 1))
                                .addAttribute(integers("ends", 3)))
                        .addNode(node("Unsqueeze", List.of("a"), "b").addAttribute(integers("axes", 0)))
                        .addNode(node("Squeeze", List.of("b"), "c").addAttribute(integers("axes", 0))),
                9));
        TensorProto found = folded.find("c").orElseThrow();
        assertArrayEquals(new float[] {2, 3}, new OnnxTensors(NAME).floats(found));
        assertEquals(List.of(2L), found.getDimsList());
    }

    @Test
    void whatItDoesNotKnowIsNoConstant() {
        GraphProto.Builder graph = graph(List.of("x"), List.of("x"))
                .addInitializer(Graphs.floats("w", new float[] {1, 2, 3, 4}, 2, 2))
                .addInitializer(longs("zero", 0))
                .addInitializer(longs("two", 2))
                .addInitializer(longs("pair", 0, 1))
                .addInitializer(longs("five", 5));
        List<NodeProto.Builder> nodes = List.of(
                node("Neg", List.of("w"), "a"),
                node("Concat", List.of("w", "x"), "a").addAttribute(attribute("axis", 0)),
                node("Concat", List.of("w", "w"), "a").addAttribute(attribute("axis", 2)),
                node("Slice", List.of("w", "zero", "two", "zero", "two"), "a"),
                node("Slice", List.of("w", "zero", "pair"), "a"),
                node("Slice", List.of("w", "zero", "two", "five"), "a"),
                node("Transpose", List.of("w"), "a").addAttribute(integers("perm", 0, 0)),
                node("Transpose", List.of("w"), "a").addAttribute(integers("perm", 0, 2)),
                node("Squeeze", List.of("w", "zero"), "a"),
                node("Squeeze", List.of("w"), "a"),
                node("Unsqueeze", List.of("w", "five"), "a"),
                node("Reshape", List.of("w", "five"), "a"),
                node("Cast", List.of("w"), "a").addAttribute(attribute("to", DataType.STRING_VALUE)),
                node("Dropout", List.of("w"), "a"),
                node("Identity", List.of("w"), "a").setDomain("com.example"));
        for (NodeProto.Builder node : nodes) {
            ModelProto model = Graphs.model(graph.clone().addNode(node), 14).toBuilder()
                    .addOpsetImport(Onnx.OperatorSetIdProto.newBuilder()
                            .setDomain("com.example")
                            .setVersion(1))
                    .build();
            assertTrue(folded(model).find("a").isEmpty(), node.toString());
        }
        assertTrue(folded(Graphs.model(graph, 14)).find("x").isEmpty());
        assertEquals(
                Arrays.asList(2L, 2L),
                folded(Graphs.model(graph, 14)).find("w").orElseThrow().getDimsList());
    }
}

package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.text;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.OnnxFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Products in place of a convolution give what ONNX Runtime's convolution gives. */
class ShortConvolutionsTest {
    private static final double TOLERANCE = 2e-6;

    @TempDir
    Path folder;

    private final Random random = new Random(TestEngines.seed(20261127));

    private WorkingGraph graph(
            int channels, int filters, int kernel, int length, boolean hasBias, AttributeProto... more) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", channels, length))
                .addOutput(floats("y", "batch", filters, "positions"))
                .addInitializer(constant("W", scaled(random, filters, channels, kernel)))
                .addInitializer(constant("B", scaled(random, filters)))
                .addNode(
                        node("Conv", "conv", hasBias ? List.of("x", "W", "B") : List.of("x", "W"), List.of("y"), more));
        return new WorkingGraph(OnnxFile.open(Protos.write(folder, graph)));
    }

    private static List<NodeProto> replaced(WorkingGraph graph, long... x) {
        return ShortConvolutions.replaced(graph.nodes().get(0), Optional.of(x), graph);
    }

    private static Tensor run(WorkingGraph graph, List<NodeProto> nodes, Tensor x) {
        try (OrtGraph runtime = OrtLibrary.open(graph.cut(nodes, graph.inputs(), List.of("y")), "test");
                Values values = new Values()) {
            values.put("x", x);
            runtime.run(values, Set.of("y"), Map.of(), (name, bytes) -> Tensor.allocate(bytes));
            return values.tensor("y");
        }
    }

    @Test
    void givesTheValuesOfTheConvolution() {
        for (int trial = 0; trial < 60; trial++) {
            int channels = 1 + random.nextInt(5), filters = 1 + random.nextInt(6), kernel = 1 + random.nextInt(4);
            int stride = 1 + random.nextInt(3), length = kernel + random.nextInt(6), rows = random.nextInt(4);
            long front = random.nextInt(3), back = random.nextInt(3);
            long positions = (length + front + back - kernel) / stride + 1;
            WorkingGraph graph = graph(
                    channels,
                    filters,
                    kernel,
                    length,
                    random.nextBoolean(),
                    integers("strides", (long) stride),
                    integers("pads", front, back));
            Tensor x = Tensors.random(random, 1 + rows, channels, length);
            Tensor expected = run(graph, graph.nodes(), x);
            List<NodeProto> nodes = replaced(graph, -1, channels, length);
            String what = "trial " + trial + ": C " + channels + ", M " + filters + ", K " + kernel + ", L " + length
                    + ", stride " + stride + ", pads " + front + " " + back;
            boolean isShort = positions <= 8;
            assertEquals(
                    isShort ? positions : 0,
                    nodes.stream().filter(n -> n.getOpType().equals("Gemm")).count(),
                    what);
            Tensors.assertClose(what, expected, run(graph, nodes, x), TOLERANCE);
        }
    }

    @Test
    void leavesOtherConvolutionsAlone() {
        assertSameNode(graph(2, 4, 3, 4, false, integers("dilations", 2L), integers("pads", 1L, 0L)), -1, 2, 4);
        assertSameNode(graph(2, 4, 3, 4, false, text("auto_pad", "SAME_UPPER")), -1, 2, 4);
        assertSameNode(graph(2, 4, 1, 9, false), -1, 2, 9); // nine positions
        assertSameNode(graph(2, 4, 3, 4, false), -1, 2, -1); // of any length
        GraphProto.Builder grouped = GraphProto.newBuilder()
                .addInput(floats("x", "batch", 4, 5))
                .addOutput(floats("y", "batch", 4, 3))
                .addInitializer(constant("W", scaled(random, 4, 1, 3)))
                .addNode(node("Conv", "conv", List.of("x", "W"), List.of("y"), integer("group", 4)));
        assertSameNode(new WorkingGraph(OnnxFile.open(Protos.write(folder, grouped))), -1, 4, 5);
        GraphProto.Builder flat = GraphProto.newBuilder()
                .addInput(floats("x", "batch", 1, 4, 4))
                .addOutput(floats("y", "batch", 2, 3, 3))
                .addInitializer(constant("W", scaled(random, 2, 1, 2, 2)))
                .addNode(node("Conv", "conv", List.of("x", "W"), List.of("y")));
        assertSameNode(new WorkingGraph(OnnxFile.open(Protos.write(folder, flat))), -1, 1, 4, 4);
    }

    private static void assertSameNode(WorkingGraph graph, long... x) {
        assertEquals(List.of(graph.nodes().get(0)), replaced(graph, x));
    }
}

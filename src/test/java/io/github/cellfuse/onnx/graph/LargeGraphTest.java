package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs with many nodes open in time linear in their size, and nodes that share weights share their memory. */
class LargeGraphTest {
    private static final int NODES = 20_000, H = 4;

    /**
     * Of this thread alone, because other processes may keep the cores busy. Quadratic steps took a minute and more.
     */
    private static final Duration CPU_LIMIT = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private static GraphProto.Builder graphOfX() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("v0", "time", "batch", H))
                .addInitializer(longs("one", 1));
        weights(graph, "a", new Random(1), 1, H, H);
        return graph;
    }

    /** A chain of values v0, v1, and so on, each made from the one before. */
    private static GraphProto.Builder chain(int length, BiConsumer<GraphProto.Builder, Integer> step) {
        GraphProto.Builder graph = graphOfX();
        for (int k = 0; k < length; k++) {
            step.accept(graph, k);
        }
        return graph.addOutput(floats("v" + length));
    }

    private OnnxModel open(GraphProto.Builder graph) {
        Path path = Protos.write(folder, graph);
        return timed(() -> OnnxModel.open(path));
    }

    private static <T> T timed(Supplier<T> work) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadCpuTime();
        T result = work.get();
        Duration used = Duration.ofNanos(threads.getCurrentThreadCpuTime() - before);
        assertTrue(used.compareTo(CPU_LIMIT) < 0, "took " + used);
        return result;
    }

    /** An LSTM with the weights of all others. */
    private static NodeProto shared(int k, String x) {
        return node("LSTM", "lstm" + k, List.of(x, "a.W", "a.R", "a.B"), List.of("y" + k));
    }

    private static void lstmAndSqueeze(GraphProto.Builder graph, int k, String to) {
        graph.addNode(shared(k, "v" + k)).addNode(node("Squeeze", "", List.of("y" + k, "one"), List.of(to)));
    }

    @Test
    void chainsOfNodes() {
        OnnxModel model = open(chain(
                NODES,
                (graph, k) -> graph.addNode(
                        node(k % 2 == 0 ? "Relu" : "Identity", "", List.of("v" + k), List.of("v" + (k + 1))))));
        assertEquals(1, model.parts().size());
        assertTrue(timed(model::rows).axes().isPresent());
    }

    @Test
    void lstmsWithNodesBetween() {
        OnnxModel model = open(chain(NODES / 3, (graph, k) -> {
            lstmAndSqueeze(graph, k, "s" + k);
            graph.addNode(node("Relu", "", List.of("s" + k), List.of("v" + (k + 1))));
        }));
        assertEquals(NODES / 3, model.lstms().size());
    }

    @Test
    void branchesThatConstantsChoose() {
        GraphProto.Builder graph = chain(
                NODES / 4,
                (g, k) -> g.addNode(node(
                        "If",
                        "",
                        List.of("flag"),
                        List.of("v" + (k + 1)),
                        branch("then_branch", "Relu", k),
                        branch("else_branch", "Neg", k))));
        graph.addInitializer(Protos.flag("flag", true));
        lstmAndSqueeze(graph, NODES / 4, "last");
        OnnxModel model = open(graph.clearOutput().addOutput(floats("last")));
        assertEquals(NODES / 4, ((RuntimePart) model.parts().get(0)).operators().get("Relu"));
    }

    private static AttributeProto branch(String name, String operator, int k) {
        return graph(
                name,
                GraphProto.newBuilder()
                        .addNode(node(operator, "inner", List.of("v" + k), List.of("inside")))
                        .addOutput(floats("inside")));
    }

    @Test
    void computedConstants() {
        GraphProto.Builder graph = chain(
                NODES / 2,
                (g, k) -> g.addNode(node("Shape", "", List.of("v" + k), List.of("s" + k)))
                        .addNode(node("Reshape", "", List.of("v" + k, "s" + k), List.of("v" + (k + 1)))));
        lstmAndSqueeze(graph, NODES / 2, "last");
        assertEquals(
                1, open(graph.clearOutput().addOutput(floats("last"))).lstms().size());
    }

    /** Longer than what ONNX Runtime computes at once, and read from the outside in several places. */
    @Test
    void weightsThatAreComputedInManySteps() {
        GraphProto.Builder graph = graphOfX();
        String last = "a.R";
        for (int k = 0; k < NODES; k++) {
            graph.addNode(node("Neg", "", List.of(last), List.of("r" + k)));
            last = "r" + k;
        }
        graph.addNode(node("Add", "", List.of("r" + (NODES / 2), last), List.of("R")))
                .addNode(node("LSTM", "", List.of("v0", "a.W", "R", "a.B"), List.of("y")))
                .addOutput(floats("y"));
        OnnxModel model = open(graph);
        assertEquals(1, model.lstms().size());
        assertEquals(1, model.parts().size());
        float[] added = model.lstms().get(0).model().weights(0, 0).recurrent();
        // r10000 is -R, r19999 is R.
        assertArrayEquals(new float[added.length], added);
    }

    @Test
    void chainsThatDependOnThemselves() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("v2000"));
        for (int k = 0; k < 2000; k++) {
            NodeProto.Builder node = shared(k, "v" + k).toBuilder().addOutput("h" + k);
            if (k > 0) {
                node.addInput("").addInput("h" + (k - 1));
            }
            graph.addNode(node).addNode(node("Squeeze", "", List.of("y" + k, "one"), List.of("v" + (k + 1))));
        }
        assertEquals(2000, open(graph).lstms().size());
    }

    /** 5000 LSTMs on the same weights: one copy in the model, one engine, one copy in the engine. */
    @Test
    void sharedWeightsAreShared() {
        int wide = 64;
        GraphProto.Builder graph = GraphProto.newBuilder().addInput(floats("x", "time", "batch", wide));
        weights(graph, "a", new Random(1), 1, wide, wide);
        for (int k = 0; k < 5000; k++) {
            graph.addNode(shared(k, "x")).addOutput(floats("y" + k));
        }
        List<LstmPart> lstms = open(graph).lstms();
        LstmModel first = lstms.get(0).model();
        lstms.forEach(lstm -> assertSame(first.weights(0, 0), lstm.model().weights(0, 0)));

        OnnxModel chain = open(chain(300, (g, k) -> lstmAndSqueeze(g, k, "v" + (k + 1))));
        LstmModel layers = chain.lstms().get(0).model();
        assertEquals(300, layers.layerCount());
        layers.layers().forEach(layer -> assertSame(layers.layer(0), layer));
    }

    @Test
    void partsOfTheSameModelShareAnEngine() {
        OnnxModel model = open(chain(5, (graph, k) -> {
            lstmAndSqueeze(graph, k, "s" + k);
            graph.addNode(node("Relu", "", List.of("s" + k), List.of("v" + (k + 1))));
        }));
        int[] opened = {0};
        try (OnnxSession session = model.session(lstm -> {
            opened[0]++;
            return LstmEngine.open(Device.JAVA, lstm, EngineOptions.DEFAULT);
        })) {
            assertEquals(1, opened[0]);
            assertEquals(5, session.engines().size());
            Tensor x = Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 1, H);
            assertEquals(8, session.run(Map.of("v0", x)).get("v5").elementCount());
        }
    }

    /** W is large and shared, and each node has its own small R: each model would have a copy of W. */
    @Test
    void copiesOfWeightsHaveALimit() {
        int inputs = 1 << 16;
        GraphProto.Builder graph = GraphProto.newBuilder().addInput(floats("x", "time", "batch", inputs));
        weights(graph, "a", new Random(1), 1, inputs, 1);
        for (int k = 0; k < 200; k++) {
            graph.addInitializer(Protos.constant("R" + k, Tensor.of(new float[] {k, 1, 2, 3}, 1, 4, 1)))
                    .addNode(node("LSTM", "", List.of("x", "a.W", "R" + k), List.of("y" + k)))
                    .addOutput(floats("y" + k));
        }
        Path path = Protos.write(folder, graph);
        String message = assertThrows(InvalidInputException.class, () -> OnnxModel.open(path))
                .getMessage();
        assertTrue(message.contains("weights of LSTMs: expected at most"), message);
    }

    /** Constants that can't be computed are the file's fault. */
    @Test
    void aFoldThatFailsIsTheFilesFault() {
        GraphProto.Builder graph = graphOfX()
                .addInitializer(longs("far", 7))
                .addNode(node("Gather", "", List.of("a.R", "far"), List.of("R")))
                .addNode(node("LSTM", "", List.of("v0", "a.W", "R"), List.of("y")))
                .addOutput(value("y", ElementType.FLOAT32));
        Path path = Protos.write(folder, graph);
        String message = assertThrows(InvalidInputException.class, () -> OnnxModel.open(path))
                .getMessage();
        assertTrue(message.contains("constants: ") && message.lines().count() == 1, message);
    }
}

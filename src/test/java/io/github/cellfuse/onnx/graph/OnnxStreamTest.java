package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that is called frame by frame gives what it gives for the whole sequence. */
class OnnxStreamTest {
    private static final int T = 9, N = 5, I = 4, H = 6;

    @TempDir
    Path folder;

    private final Random random = new Random(TestEngines.seed(20260316));

    /** Frames {@code [T,N,I]}, of any number, and states: an elementwise front, two LSTMs, an elementwise head. */
    private Path model(Object rows) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "frames", "batch", I))
                .addInput(floats("h", 1, rows, H))
                .addInput(floats("c", 1, rows, H))
                .addInput(floats("h2", 1, "batch", H))
                .addInput(floats("c2", 1, "batch", H))
                .addOutput(floats("p", "frames", "batch", H))
                .addOutput(floats("ho", 1, "batch", H))
                .addOutput(floats("co", 1, "batch", H))
                .addOutput(floats("h2o", 1, "batch", H))
                .addOutput(floats("c2o", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        graph.addInitializer(longs("one", 1)).addInitializer(constant("shift", scaled(random, I)));
        graph.addNode(node("Add", "front", List.of("x", "shift"), List.of("z")))
                .addNode(lstm("a", "z", H, List.of("", "h", "c"), List.of("ho", "co")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("mid")))
                .addNode(lstm("b", "mid", H, List.of("", "h2", "c2"), List.of("h2o", "c2o")))
                .addNode(node("Squeeze", "t", List.of("b.y", "one"), List.of("top")))
                .addNode(node("Abs", "head", List.of("top"), List.of("p")));
        return Protos.write(folder, graph);
    }

    private static final Map<String, String> STATES = Map.of("h", "ho", "c", "co", "h2", "h2o", "c2", "c2o");

    private Tensor frame(Tensor x, int step) {
        float[] values = new float[N * I];
        x.floats().get(step * N * I, values);
        return Tensor.of(values, 1, N, I);
    }

    @Test
    void framesGiveTheBitsOfTheWholeSequence() {
        OnnxModel model = OnnxModel.open(model("batch"));
        assertEquals(1, model.lstms().size());
        Tensor x = Tensors.random(random, T, N, I);
        for (Device device : TestEngines.exact()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                Map<String, Tensor> whole = new OnnxStream(session, STATES).run(Map.of("x", x));
                float[] expected = new float[T * N * H];
                whole.get("p").floats().get(expected);
                OnnxStream stream = new OnnxStream(session, STATES);
                for (int pass = 0; pass < 2; pass++) {
                    float[] found = new float[T * N * H];
                    for (int step = 0; step < T; step++) {
                        stream.run(Map.of("x", frame(x, step)))
                                .get("p")
                                .floats()
                                .get(found, step * N * H, N * H);
                    }
                    assertArrayEquals(expected, found, device + ", pass " + pass);
                    stream.reset();
                }
            }
        }
    }

    @Test
    void aStateThatIsGivenReplacesWhatItWas() {
        OnnxModel model = OnnxModel.open(model("batch"));
        Tensor x = Tensors.random(random, 1, N, I), h = Tensors.random(random, 1, N, H);
        Tensor zeros = Tensor.of(new float[N * H], 1, N, H);
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            Map<String, Tensor> expected = session.run(Map.of("x", x, "h", h, "c", zeros, "h2", zeros, "c2", zeros));
            OnnxStream stream = new OnnxStream(session, STATES);
            Tensors.assertSame(
                    "p", expected.get("p"), stream.run(Map.of("x", x, "h", h)).get("p"));
            stream.reset();
            Tensors.assertSame(
                    "p", expected.get("p"), stream.run(Map.of("x", x, "h", h)).get("p"));
        }
    }

    @Test
    void aStateOfUnnamedSizeHasOneRowForEachStream() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "", I))
                .addInput(floats("s", 2, "", I))
                .addOutput(floats("y", "", I))
                .addOutput(floats("so", 2, "", I))
                .addNode(node("ReduceSum", "r", List.of("s", "zero"), List.of("sum"), Protos.integer("keepdims", 0)))
                .addNode(node("Add", "a", List.of("x", "sum"), List.of("y")))
                .addNode(node("Add", "b", List.of("s", "x"), List.of("so")))
                .addInitializer(longs("zero", 0));
        OnnxModel model = OnnxModel.open(Protos.write(folder, graph));
        try (OnnxSession session = model.session()) {
            OnnxStream stream = new OnnxStream(session, Map.of("s", "so"));
            Tensor ones = Tensor.of(new float[] {1, 1, 1, 1, 1, 1, 1, 1}, 2, I);
            assertEquals(1, stream.run(Map.of("x", ones)).get("y").floats().get(0));
            assertEquals(3, stream.run(Map.of("x", ones)).get("y").floats().get(0));
            assertEquals(5, stream.run(Map.of("x", ones)).get("y").floats().get(0));
        }
    }

    @Test
    void refusesStatesThatAreNone() {
        OnnxModel model = OnnxModel.open(model("streams"));
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            refused(session, Map.of("z", "ho"), "expected one of x, h, c, h2, c2, found 'z'");
            refused(session, Map.of("h", "z"), "expected one of p, ho, co, h2o, c2o, found 'z'");
            refused(session, Map.of("h", "ho", "c", "ho"), "output 'ho': expected one state");
            OnnxStream missing = new OnnxStream(session, Map.of("h", "ho"));
            Tensor x = Tensors.random(random, 1, N, I);
            assertTrue(assertThrows(InvalidInputException.class, () -> missing.run(Map.of("x", x)))
                    .getMessage()
                    .contains("input 'c'"));
        }
    }

    private static void refused(OnnxSession session, Map<String, String> states, String part) {
        String message = assertThrows(InvalidInputException.class, () -> new OnnxStream(session, states))
                .getMessage();
        assertTrue(message.contains(part), message);
    }
}

package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Inputs that have an initializer as their default. ONNX Runtime's Java binding can't give them, so it judges a twin of
 * each model in which they are ordinary inputs.
 */
class DefaultedInputTest {
    private static final int T = 6, N = 3, I = 5, H = 4;
    private static final Map<String, String> STATES = Map.of("h0", "hn", "c0", "cn");

    @TempDir
    Path folder;

    private final Random random = new Random(TestEngines.seed(20260318));
    private final Tensor x = Tensors.random(random, T, N, I);
    private final Tensor h0 = scaled(random, 1, N, H), c0 = scaled(random, 1, N, H);
    private final Map<String, Tensor> weights = Map.of(
            "a.W", scaled(random, 1, 4 * H, I), "a.R", scaled(random, 1, 4 * H, H), "a.B", scaled(random, 1, 8 * H));

    /**
     * An LSTM with initial states and something for ONNX Runtime to do.
     *
     * @param ir the version of the format
     * @param defaults the inputs that have a default; the others are without
     * @param rows the rows of the states: a number or a name
     */
    private Path model(long ir, Object rows, String... defaults) throws IOException {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("h0", 1, rows, H)) // before x: the order is the model's
                .addInput(floats("x", "time", "batch", I))
                .addInput(floats("c0", 1, rows, H))
                .addOutput(floats("y", "time", 1, "batch", H))
                .addOutput(floats("hn", 1, "batch", H))
                .addOutput(floats("cn", 1, "batch", H))
                .addNode(lstm("a", "x", H, List.of("", "h0", "c0"), List.of("hn", "cn")))
                .addNode(node("Abs", "abs", List.of("a.y"), List.of("y")));
        Map<String, Tensor> all = new HashMap<>(weights);
        all.put("h0", h0);
        all.put("c0", c0);
        List<String> chosen = List.of(defaults);
        weights.forEach((name, value) -> {
            if (ir < 4 || chosen.contains(name)) {
                graph.addInput(floats(name, dimensions(value)));
            }
            if (!chosen.contains(name)) {
                graph.addInitializer(constant(name, value));
            }
        });
        chosen.forEach(name -> graph.addInitializer(constant(name, all.get(name))));
        return Files.write(
                Files.createTempFile(folder, "model", ".onnx"),
                Protos.model(graph).toBuilder().setIrVersion(ir).build().toByteArray());
    }

    private static Object[] dimensions(Tensor value) {
        return Arrays.stream(value.shape()).mapToObj(size -> (int) size).toArray();
    }

    private static List<String> names(List<GraphValue> values) {
        return values.stream().map(GraphValue::name).toList();
    }

    /** The twin's results in ONNX Runtime. */
    private Map<String, Tensor> expected(Tensor h, Tensor c) throws IOException {
        return GraphOracle.whole(model(8, "batch"), Map.of("x", x, "h0", h, "c0", c));
    }

    private static void assertResults(OnnxModel model, Map<String, Tensor> inputs, Map<String, Tensor> expected) {
        assertEquals(1, model.lstms().size());
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                assertClose(device, expected, session.run(inputs));
            }
        }
    }

    private static void assertClose(Device device, Map<String, Tensor> expected, Map<String, Tensor> found) {
        expected.forEach((name, value) ->
                Tensors.assertClose(device + " " + name, value, found.get(name), GraphOracle.TOLERANCE));
    }

    @Test
    void aDefaultThatNobodyReplacesIsAConstant() throws IOException {
        OnnxModel model = OnnxModel.open(model(8, N, "h0", "c0"));
        assertEquals(List.of("x"), names(model.inputs()));
        assertEquals(List.of("h0", "c0"), names(model.defaults()));
        assertResults(model, Map.of("x", x), expected(h0, c0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"3", "batch"})
    void aDefaultCanBeGiven(String rows) throws IOException {
        Path path = model(8, rows.equals("batch") ? rows : (Object) N, "h0", "c0");
        Tensor h = scaled(random, 1, N, H), c = scaled(random, 1, N, H);
        OnnxModel one = OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(List.of("h0")));
        assertEquals(List.of("h0", "x"), names(one.inputs()));
        assertEquals(List.of("c0"), names(one.defaults()));
        assertResults(one, Map.of("x", x, "h0", h), expected(h, c0));
        OnnxModel both = OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(List.of("c0", "x", "h0")));
        assertEquals(List.of("h0", "x", "c0"), names(both.inputs()));
        assertEquals(List.of(), both.defaults());
        assertResults(both, Map.of("x", x, "h0", h, "c0", c), expected(h, c));
    }

    @Test
    void aDefaultCanBeBound() throws IOException {
        Tensor h = scaled(random, 1, N, H);
        OnnxModel model = OnnxModel.open(
                model(8, "batch", "h0", "c0"), GraphOptions.DEFAULT.withBindings(Map.of("h0", Binding.of(h))));
        assertEquals(List.of("x"), names(model.inputs()));
        assertEquals(List.of("c0"), names(model.defaults()));
        assertResults(model, Map.of("x", x), expected(h, c0));
    }

    /** Frame by frame from the defaults is the whole sequence from the defaults, also after a reset. */
    @Test
    void aStateBeginsWithItsDefault() throws IOException {
        Path path = model(8, "batch", "h0", "c0");
        OnnxModel model = OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(STATES.keySet()));
        Tensor other = scaled(random, 1, N, H);
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                OnnxStream stream = new OnnxStream(session, STATES);
                for (int pass = 0; pass < 3; pass++) {
                    boolean isGiven = pass == 1; // the default is still there afterwards
                    Map<String, Tensor> expected = expected(isGiven ? other : h0, c0);
                    for (int step = 0; step < T; step++) {
                        Map<String, Tensor> inputs = new HashMap<>(Map.of("x", step(step)));
                        if (isGiven && step == 0) {
                            inputs.put("h0", other);
                        }
                        Map<String, Tensor> found = stream.run(inputs);
                        float[] y = new float[N * H], whole = new float[N * H];
                        found.get("y").floats().get(y);
                        expected.get("y").floats().get(step * N * H, whole);
                        Tensors.assertClose(
                                device + " step " + step,
                                Tensor.of(whole, N, H),
                                Tensor.of(y, N, H),
                                GraphOracle.TOLERANCE);
                        if (step == T - 1) {
                            assertClose(device, Map.of("hn", expected.get("hn"), "cn", expected.get("cn")), found);
                        }
                    }
                    stream.reset();
                }
            }
        }
        // The model is as it was.
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            Tensors.assertSame(
                    "y",
                    session.run(Map.of("x", x, "h0", h0, "c0", c0)).get("y"),
                    new OnnxStream(session, STATES).run(Map.of("x", x)).get("y"));
        }
    }

    private Tensor step(int step) {
        float[] values = new float[N * I];
        x.floats().get(step * N * I, values);
        return Tensor.of(values, 1, N, I);
    }

    @Test
    void weightsThatAreDefaultsRunOnTheDevice() throws IOException {
        Path path = model(8, "batch", "a.W", "a.R", "a.B", "h0", "c0");
        OnnxModel model = OnnxModel.open(path);
        assertEquals(5, model.defaults().size());
        assertResults(model, Map.of("x", x), expected(h0, c0));
        // Replaced by a binding: still constants.
        Map<String, Tensor> others = Map.of("a.W", scaled(random, 1, 4 * H, I), "a.R", scaled(random, 1, 4 * H, H));
        Map<String, Binding> bindings = new HashMap<>();
        others.forEach((name, value) -> bindings.put(name, Binding.of(value)));
        OnnxModel bound = OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(bindings));
        Map<String, Tensor> inputs = new HashMap<>(others);
        inputs.putAll(Map.of("x", x, "h0", h0, "c0", c0, "a.B", weights.get("a.B")));
        Map<String, Tensor> expected = GraphOracle.whole(twinWithoutWeights(), inputs);
        assertResults(bound, Map.of("x", x), expected);
        // Replaced in every run: the LSTM stays in ONNX Runtime.
        OnnxModel supplied = OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(others.keySet()));
        assertEquals(List.of(), supplied.lstms());
        assertEquals("a", supplied.kept().get(0).node());
        try (OnnxSession session = supplied.session(Device.JAVA, EngineOptions.DEFAULT)) {
            Map<String, Tensor> given = new HashMap<>(others);
            given.put("x", x);
            assertClose(Device.JAVA, expected, session.run(given));
        }
    }

    private Path twinWithoutWeights() throws IOException {
        Path path = model(8, "batch", "a.W", "a.R", "a.B", "h0", "c0");
        ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(path)).toBuilder();
        model.getGraphBuilder().clearInitializer();
        return Files.write(
                Files.createTempFile(folder, "twin", ".onnx"), model.build().toByteArray());
    }

    /** Before IR 4 every initializer is an input as well, so that says nothing of defaults. ONNX Runtime agrees. */
    @Test
    void oldModelsHaveNoDefaults() throws IOException {
        Path path = model(3, "batch", "h0", "c0");
        OnnxModel model = OnnxModel.open(path);
        assertEquals(List.of("x"), names(model.inputs()));
        assertEquals(List.of(), model.defaults());
        assertResults(model, Map.of("x", x), GraphOracle.whole(path, Map.of("x", x)));
        assertMessage(
                () -> OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(List.of("h0"))),
                path,
                "input: expected one of x, found 'h0'");
    }

    @Test
    void refusesWhatDoesNotFit() throws IOException {
        Path path = model(8, "batch", "h0", "c0");
        Binding zeros = Binding.of(Tensor.zeros(x.type(), 1, N, H));
        assertMessage(
                () -> OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(List.of("z"))),
                path,
                "input: expected one of x, h0, c0, found 'z'");
        assertMessage(
                () -> OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(Map.of("z", zeros))),
                path,
                "input: expected one of x, h0, c0, found 'z'");
        assertMessage(
                () -> OnnxModel.open(
                        path,
                        GraphOptions.DEFAULT.withBindings(Map.of("h0", zeros)).withSupplied(List.of("h0"))),
                path,
                "input 'h0'",
                "either bound or supplied");
        assertMessage(
                () -> OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(Map.of("h0", Binding.of(x)))),
                "input 'h0'",
                "expected float32 [1, batch, 4]",
                "[6, 3, 5]");
        try (OnnxSession session = OnnxModel.open(path).session(Device.JAVA, EngineOptions.DEFAULT)) {
            assertMessage(
                    () -> session.run(Map.of("x", x, "h0", h0)), path, "'h0'", "one with a default", "withSupplied");
            assertMessage(() -> new OnnxStream(session, STATES), path, "one with a default", "withSupplied");
        }
        OnnxModel supplied = OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(List.of("h0")));
        try (OnnxSession session = supplied.session(Device.JAVA, EngineOptions.DEFAULT)) {
            assertMessage(() -> session.run(Map.of("x", x)), "expected input 'h0', float32 [1, batch, 4]");
        }
    }

    private static void assertMessage(Executable action, Object... parts) {
        String message = assertThrows(InvalidInputException.class, action).getMessage();
        for (Object part : parts) {
            assertTrue(message.contains(part.toString()), () -> "expected '" + part + "' in: " + message);
        }
    }

    /** A default may be smaller than the batch, where the operator broadcasts it. */
    @Test
    void aDefaultHasItsOwnShape() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", I))
                .addInput(floats("s", "", I))
                .addOutput(floats("sum", "batch", I))
                .addNode(node("Add", "add", List.of("x", "s"), List.of("sum")));
        TensorProto one = constant("s", Tensor.of(new float[] {1, 2, 3, 4, 5}, 1, I));
        Path path = Protos.write(folder, graph.addInitializer(one));
        OnnxModel model = OnnxModel.open(path, GraphOptions.DEFAULT.withSupplied(List.of("s")));
        try (OnnxSession session = model.session()) {
            OnnxStream stream = new OnnxStream(session, Map.of("s", "sum"));
            Tensor ones = Tensor.of(new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 2, I);
            Tensors.assertSame(
                    "first",
                    Tensor.of(new float[] {2, 3, 4, 5, 6, 2, 3, 4, 5, 6}, 2, I),
                    stream.run(Map.of("x", ones)).get("sum"));
            Tensors.assertSame(
                    "second",
                    Tensor.of(new float[] {3, 4, 5, 6, 7, 3, 4, 5, 6, 7}, 2, I),
                    stream.run(Map.of("x", ones)).get("sum"));
        }
    }
}

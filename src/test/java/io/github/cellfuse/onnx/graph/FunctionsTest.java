package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.flag;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.text;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.StringStringEntryProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.OnnxLstm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Functions of a model, against ONNX Runtime, which knows what a call means. */
class FunctionsTest {
    private static final int T = 4, N = 2, I = 3, H = 5;
    private static final String OWN = "own";

    @TempDir
    Path folder;

    private Random random;

    @BeforeEach
    void seed() {
        long seed = TestEngines.seed(20260401);
        System.out.println("FunctionsTest: -Dcellfuse.seed=" + seed);
        random = new Random(seed);
    }

    private static FunctionProto.Builder function(String name, List<String> inputs, List<String> outputs) {
        return FunctionProto.newBuilder()
                .setDomain(OWN)
                .setName(name)
                .addAllInput(inputs)
                .addAllOutput(outputs)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(Protos.OPSET))
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(OWN).setVersion(1));
    }

    /** The function Encoder of x and an LSTM's weights. */
    private static FunctionProto.Builder encoder() {
        return function("Encoder", List.of("x", "w", "r", "b"), List.of("y"))
                .addNode(node("Neg", "neg", List.of("x"), List.of("t")))
                .addNode(node("LSTM", "lstm", List.of("t", "w", "r", "b"), List.of("y"), integer("hidden_size", H)));
    }

    private static NodeProto call(
            String function, String name, List<String> inputs, List<String> outputs, AttributeProto... attributes) {
        return node(function, name, inputs, outputs, attributes).toBuilder()
                .setDomain(OWN)
                .build();
    }

    /** An attribute whose value is the function's attribute of another name. */
    private static AttributeProto reference(String name, AttributeType type, String attribute) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(type)
                .setRefAttrName(attribute)
                .build();
    }

    private static ModelProto model(GraphProto.Builder graph, FunctionProto.Builder... functions) {
        ModelProto.Builder model = Protos.model(graph).toBuilder()
                .setIrVersion(10)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(OWN).setVersion(1));
        for (FunctionProto.Builder function : functions) {
            model.addFunctions(function);
        }
        return model.build();
    }

    private Path write(GraphProto.Builder graph, FunctionProto.Builder... functions) {
        return write(model(graph, functions));
    }

    private Path write(ModelProto model) {
        try {
            return Files.write(Files.createTempFile(folder, "model", ".onnx"), model.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private GraphProto.Builder graphOfX() {
        return GraphProto.newBuilder().addInput(floats("x", "time", "batch", I));
    }

    private Map<String, Tensor> x() {
        return Map.of("x", Tensors.random(random, T, N, I));
    }

    private static Tensor flagTensor(boolean value) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(1).put((byte) (value ? 1 : 0));
        return new Tensor(ElementType.BOOL, bytes.flip());
    }

    private static void assertRefused(ModelProto model, String... parts) {
        String message = assertThrows(InvalidInputException.class, () -> OnnxFile.of(Path.of("model.onnx"), model))
                .getMessage();
        assertFalse(message.contains("\n"), message);
        for (String part : parts) {
            assertTrue(message.contains(part), "expected '" + part + "' in: " + message);
        }
    }

    @Test
    void anLstmInAFunctionRunsOnTheDevice() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(call("Encoder", "enc", List.of("x", "a.W", "a.R", "a.B"), List.of("z")))
                .addNode(node("Relu", "relu", List.of("z"), List.of("out")));
        OnnxModel model = GraphOracle.assertSame(write(graph, encoder()), x());
        assertEquals("{Neg=1}[enc/lstm]{Relu=1}", GraphOracle.parts(model));
        assertEquals(List.of(), model.kept());
    }

    @Test
    void twoCallsHaveValuesOfTheirOwn() {
        // Names that the copies would get are taken: enc/t and enc2/t by values, enc2/lstm by a node.
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, I, H);
        graph.addNode(node("Abs", "abs", List.of("x"), List.of("enc/t")))
                .addNode(call("Encoder", "enc", List.of("x", "a.W", "a.R", "a.B"), List.of("p")))
                .addNode(call("Encoder", "enc2", List.of("enc/t", "b.W", "b.R", "b.B"), List.of("q")))
                .addNode(node("Neg", "enc2/lstm", List.of("q"), List.of("enc2/t")))
                .addNode(call("Encoder", "", List.of("enc/t", "a.W", "a.R", "b.B"), List.of("r")))
                .addNode(node("Sum", "sum", List.of("p", "q", "r", "enc2/t"), List.of("out")));
        OnnxModel model = GraphOracle.assertSame(write(graph, encoder()), x());
        assertEquals("{Abs=1, Neg=3}[enc/lstm][enc2/lstm/1][r/lstm]{Neg=1, Sum=1}", GraphOracle.parts(model));
    }

    @Test
    void attributesAreThoseOfTheCallOrTheirDefaults() {
        FunctionProto.Builder function = function("Encoder", List.of("x", "w", "r", "b"), List.of("y", "h"))
                .addAttribute("size")
                .addAttribute("bound")
                .addAttributeProto(text("way", "reverse"))
                .addNode(node(
                        "LSTM",
                        "lstm",
                        List.of("x", "w", "r", "b"),
                        List.of("y", "h"),
                        reference("hidden_size", AttributeType.INT, "size"),
                        reference("direction", AttributeType.STRING, "way"),
                        reference("clip", AttributeType.FLOAT, "bound")));
        AttributeProto bound = AttributeProto.newBuilder()
                .setName("bound")
                .setType(AttributeType.FLOAT)
                .setF(0.1f)
                .build();
        GraphProto.Builder graph =
                graphOfX().addOutput(floats("y", "time", 1, "batch", H)).addOutput(floats("all", 3, "batch", H));
        weights(graph, "a", random, 1, I, H);
        List<String> inputs = List.of("x", "a.W", "a.R", "a.B");
        graph.addNode(call("Encoder", "default", inputs, List.of("y", "h1"), integer("size", H)))
                .addNode(call(
                        "Encoder", "forward", inputs, List.of("", "h2"), integer("size", H), text("way", "forward")))
                .addNode(call("Encoder", "clipped", inputs, List.of("", "h3"), integer("size", H), bound))
                .addNode(node("Concat", "concat", List.of("h1", "h2", "h3"), List.of("all"), integer("axis", 0)));
        OnnxModel model = GraphOracle.assertSame(write(graph, function), x());
        assertEquals("[default/lstm][forward/lstm][clipped/lstm]{Concat=1}", GraphOracle.parts(model));
    }

    @Test
    void attributesReachSubgraphsAndMayBeGraphs() {
        // then_branch comes from the call and sees the caller's values; else_branch refers to an attribute.
        GraphProto.Builder other = GraphProto.newBuilder()
                .addOutput(floats("t"))
                .addNode(node("Constant", "k", List.of(), List.of("t"), reference("value", AttributeType.TENSOR, "k")));
        FunctionProto.Builder function = function("Choice", List.of("c"), List.of("y"))
                .addAttribute("yes")
                .addAttribute("k")
                .addNode(node(
                        "If",
                        "if",
                        List.of("c"),
                        List.of("y"),
                        reference("then_branch", AttributeType.GRAPH, "yes"),
                        graph("else_branch", other)));
        GraphProto.Builder branch =
                GraphProto.newBuilder().addOutput(floats("t")).addNode(node("Neg", "neg", List.of("x"), List.of("t")));
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", 2))
                .addInput(value("c", ElementType.BOOL))
                .addOutput(floats("out", 2));
        graph.addNode(call(
                "Choice",
                "call",
                List.of("c"),
                List.of("out"),
                graph("yes", branch),
                AttributeProto.newBuilder()
                        .setName("k")
                        .setType(AttributeType.TENSOR)
                        .setT(constant("", Tensor.of(new float[] {7, 8}, 2)))
                        .build()));
        // ONNX Runtime doesn't let the branch see x, so the expected values are written here.
        OnnxModel model = OnnxModel.open(write(graph, function));
        assertEquals("{If=1}", GraphOracle.parts(model));
        for (boolean isTrue : new boolean[] {true, false}) {
            Map<String, Tensor> inputs = new LinkedHashMap<>();
            inputs.put("x", Tensors.random(random, 2));
            inputs.put("c", flagTensor(isTrue));
            try (OnnxSession session = model.session()) {
                Tensor out = session.run(inputs).get("out");
                for (int k = 0; k < 2; k++) {
                    assertEquals(
                            isTrue ? -inputs.get("x").floats().get(k) : 7 + k,
                            out.floats().get(k));
                }
            }
        }
    }

    @Test
    void optionalInputsAndOutputsMayBeMissing() {
        FunctionProto.Builder function = function(
                        "Encoder", List.of("x", "w", "r", "b", "n", "h0", "c0"), List.of("y", "h", "c"))
                .addNode(node(
                        "LSTM",
                        "lstm",
                        List.of("x", "w", "r", "b", "n", "h0", "c0"),
                        List.of("y", "h", "c"),
                        integer("hidden_size", H)));
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addInitializer(constant("h0", scaled(random, 1, N, H)))
                .addNode(call("Encoder", "one", List.of("x", "a.W", "a.R"), List.of("y", "", "")))
                .addNode(call("Encoder", "two", List.of("x", "a.W", "a.R", "a.B", "", "h0"), List.of("", "h", "c")))
                .addNode(node("ReduceMax", "max", List.of("y"), List.of("m"), integer("keepdims", 0)))
                .addNode(node("Sum", "sum", List.of("h", "c", "m"), List.of("out")));
        OnnxModel model = GraphOracle.assertSame(write(graph, function), x());
        assertEquals("[one/lstm][two/lstm]{ReduceMax=1, Sum=1}", GraphOracle.parts(model));
    }

    @Test
    void outputsMayBeInputsOrTheSameValue() {
        FunctionProto.Builder function = function("Fork", List.of("x"), List.of("same", "y", "y", "x"))
                .addNode(node("Neg", "neg", List.of("x"), List.of("y")))
                .addNode(node("Identity", "id", List.of("x"), List.of("same")));
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("s", "time", "batch", I))
                .addOutput(floats("p", "time", "batch", I))
                .addOutput(floats("q", "time", "batch", I))
                .addOutput(floats("r", "time", "batch", I))
                .addNode(call("Fork", "fork", List.of("x"), List.of("s", "p", "q", "r")));
        // ONNX Runtime's own inlining doesn't allow this, so the expected values are written here.
        Map<String, Tensor> inputs = x();
        OnnxModel model = OnnxModel.open(write(graph, function));
        try (OnnxSession session = model.session()) {
            Map<String, Tensor> found = session.run(inputs);
            Tensors.assertSame("s", inputs.get("x"), found.get("s"));
            Tensors.assertSame("r", inputs.get("x"), found.get("r"));
            Tensors.assertSame("p = q", found.get("p"), found.get("q"));
            assertEquals(
                    -inputs.get("x").floats().get(0), found.get("p").floats().get(0));
        }
    }

    @Test
    void functionsMayCallFunctions() {
        FunctionProto.Builder stack = function("Stack", List.of("x", "w", "r", "b", "v"), List.of("y"))
                .addAttributeProto(AttributeProto.newBuilder()
                        .setName("axis")
                        .setType(AttributeType.INTS)
                        .addInts(1))
                .addNode(call("Encoder", "first", List.of("x", "w", "r", "b"), List.of("t")))
                .addNode(node(
                        "Constant",
                        "axes",
                        List.of(),
                        List.of("axes"),
                        reference("value_ints", AttributeType.INTS, "axis")))
                .addNode(node("Squeeze", "squeeze", List.of("t", "axes"), List.of("u")))
                .addNode(call("Encoder", "second", List.of("u", "v", "r", "b"), List.of("y")));
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addInitializer(constant("v", scaled(random, 1, 4 * H, H)))
                .addNode(call("Stack", "stack", List.of("x", "a.W", "a.R", "a.B", "v"), List.of("out")));
        OnnxModel model = GraphOracle.assertSame(write(graph, stack, encoder()), x());
        assertEquals("{Neg=1}[stack/first/lstm]{Neg=1}[stack/second/lstm]", GraphOracle.parts(model));
    }

    @Test
    void overloadsAreDifferentFunctions() {
        FunctionProto.Builder plain =
                function("F", List.of("x"), List.of("y")).addNode(node("Neg", "neg", List.of("x"), List.of("y")));
        FunctionProto.Builder doubled = function("F", List.of("x"), List.of("y"))
                .setOverload("twice")
                .addNode(node("Add", "add", List.of("x", "x"), List.of("y")));
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("p", "time", "batch", I))
                .addOutput(floats("q", "time", "batch", I))
                .addNode(call("F", "f", List.of("x"), List.of("p")))
                .addNode(call("F", "g", List.of("x"), List.of("q")).toBuilder().setOverload("twice"));
        assertEquals("{Add=1, Neg=1}", GraphOracle.parts(GraphOracle.assertSame(write(graph, plain, doubled), x())));
        assertRefused(model(graph, plain, plain), "function 'own.F': expected one with this name, found two");
    }

    @Test
    void callsInBranchesAndBodiesAreReplaced() {
        // In the branch that a constant takes, the LSTM gets to the device; in the other one, and in a Loop, it stays.
        GraphProto.Builder graph = graphOfX()
                .addInput(value("c", ElementType.BOOL))
                .addOutput(floats("y", "time", 1, "batch", H))
                .addOutput(floats("z", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        GraphProto.Builder yes = GraphProto.newBuilder()
                .addOutput(floats("t"))
                .addNode(call("Encoder", "yes", List.of("x", "a.W", "a.R", "a.B"), List.of("t")));
        GraphProto.Builder no = GraphProto.newBuilder()
                .addOutput(floats("t"))
                .addNode(node("Abs", "abs", List.of("x"), List.of("n")))
                .addNode(call("Encoder", "no", List.of("n", "a.W", "a.R", "a.B"), List.of("t")));
        graph.addInitializer(flag("true", true))
                .addNode(node(
                        "If",
                        "fixed",
                        List.of("true"),
                        List.of("y"),
                        graph("then_branch", yes.clone()),
                        graph("else_branch", no.clone())))
                .addNode(node(
                        "If", "open", List.of("c"), List.of("z"), graph("then_branch", yes), graph("else_branch", no)));
        Path path = write(graph, encoder());
        for (boolean isTrue : new boolean[] {true, false}) {
            Map<String, Tensor> inputs = new LinkedHashMap<>(x());
            inputs.put("c", flagTensor(isTrue));
            OnnxModel model = GraphOracle.assertSame(path, inputs);
            assertEquals("{If=1, Neg=1}[yes/lstm]", GraphOracle.parts(model));
            String reason = "it is in a branch of If open, whose condition depends on the inputs";
            assertEquals(List.of(new KeptLstm("yes/lstm/1", reason), new KeptLstm("no/lstm/1", reason)), model.kept());
        }
    }

    @Test
    void namesInTheSubgraphsOfABodyDontHideTheCallersValues() {
        // The caller's value is called t, like one of the branch, and so is the name that the copy of s would get.
        GraphProto.Builder branch = GraphProto.newBuilder()
                .addOutput(floats("out"))
                .addNode(node("Exp", "exp", List.of("s"), List.of("t")))
                .addNode(node("Mul", "mul", List.of("t", "a"), List.of("call/s")))
                .addNode(node("Sub", "sub", List.of("call/s", "s"), List.of("out")));
        FunctionProto.Builder function = function("F", List.of("a", "c"), List.of("y"))
                .addNode(node("Neg", "neg", List.of("a"), List.of("s")))
                .addNode(node(
                        "If",
                        "if",
                        List.of("c"),
                        List.of("y"),
                        graph("then_branch", branch.clone()),
                        graph("else_branch", branch)));
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", 2))
                .addInput(value("c", ElementType.BOOL))
                .addOutput(floats("out", 2))
                .addNode(node("Exp", "exp", List.of("x"), List.of("t")))
                .addNode(call("F", "call", List.of("t", "c"), List.of("out")));
        // Names that hide others are invalid in ONNX Runtime when it inlines, so the expected values are written here.
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("x", Tensor.of(new float[] {0, 1}, 2));
        inputs.put("c", flagTensor(true));
        try (OnnxSession session = OnnxModel.open(write(graph, function)).session()) {
            Tensor out = session.run(inputs).get("out");
            for (int k = 0; k < 2; k++) {
                double t = Math.exp(k);
                assertEquals(Math.exp(-t) * t + t, out.floats().get(k), 1e-5);
            }
        }
    }

    @Test
    void anotherOpsetLeavesTheCallAndNamesTheLstm() {
        FunctionProto.Builder older = encoder();
        older.getOpsetImportBuilder(0).setVersion(13);
        // A call that stays keeps the functions that its function calls; the unused one goes.
        older.setNode(0, call("Negative", "neg", List.of("x"), List.of("t")));
        FunctionProto.Builder negative = function("Negative", List.of("a"), List.of("b"))
                .addNode(node("Neg", "neg", List.of("a"), List.of("b")));
        FunctionProto.Builder unused =
                function("Unused", List.of("a"), List.of("b")).addNode(node("Abs", "abs", List.of("a"), List.of("b")));
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(call("Encoder", "enc", List.of("x", "a.W", "a.R", "a.B"), List.of("z")))
                .addNode(call("Negative", "n", List.of("z"), List.of("out")));
        Path path = write(graph, older, negative, unused);
        OnnxModel model = OnnxModel.open(path);
        assertEquals("{Encoder=1, Neg=1}", GraphOracle.parts(model));
        assertEquals(
                List.of(new KeptLstm(
                        "lstm",
                        "it is in function 'own.Encoder', which imports opset 13 of ai.onnx where the model"
                                + " imports 14")),
                model.kept());
        assertEquals(
                List.of("Encoder", "Negative"),
                OnnxFile.open(path).model().getFunctionsList().stream()
                        .map(FunctionProto::getName)
                        .toList());
        GraphOracle.assertSame(path, x());
    }

    /** ONNX Runtime gets the function as it is, so what it names in other files must be read and checked before. */
    @Test
    void theDataOfAFunctionThatStaysIsInTheModelsFolder() throws IOException {
        Path home = Files.createDirectory(folder.resolve("home"));
        Files.write(folder.resolve("secret"), new byte[4 * I]);
        ByteBuffer data = ByteBuffer.allocate(4 * I).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < I; k++) {
            data.putFloat(k + 0.5f);
        }
        Files.write(home.resolve("own"), data.array());
        Path path = Files.write(home.resolve("m.onnx"), withData("own").toByteArray());
        Tensor x = Tensors.random(random, 1, 1, I);
        try (OnnxSession session = OnnxModel.open(path).session(Device.JAVA, EngineOptions.DEFAULT)) {
            double[] values = Tensors.values(x),
                    found = Tensors.values(session.run(Map.of("x", x)).get("out"));
            for (int k = 0; k < I; k++) {
                assertEquals(values[k] * (k + 0.5), found[k], 1e-6);
            }
        }
        for (String location : List.of("../secret", folder.resolve("secret").toString())) {
            Files.write(path, withData(location).toByteArray());
            InvalidInputException e = assertThrows(InvalidInputException.class, () -> OnnxModel.open(path));
            assertTrue(e.getMessage().contains("expected a file in the model's folder"), e.getMessage());
        }
    }

    /** A model with a call of a function of another opset, whose constant is in another file. */
    private ModelProto withData(String location) {
        TensorProto outside = TensorProto.newBuilder()
                .setName("c")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(I)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(
                        StringStringEntryProto.newBuilder().setKey("location").setValue(location))
                .build();
        AttributeProto value = AttributeProto.newBuilder()
                .setName("value")
                .setType(AttributeType.TENSOR)
                .setT(outside)
                .build();
        FunctionProto.Builder older = function("Scaled", List.of("x"), List.of("y"))
                .addNode(node("Constant", "c", List.of(), List.of("t"), value))
                .addNode(node("Mul", "mul", List.of("x", "t"), List.of("y")));
        older.getOpsetImportBuilder(0).setVersion(13);
        return model(
                graphOfX()
                        .addOutput(floats("out", "time", "batch", I))
                        .addNode(call("Scaled", "s", List.of("x"), List.of("out"))),
                older);
    }

    @Test
    void domainsThatOnlyTheFunctionImportsAreImported() {
        FunctionProto.Builder function = function("F", List.of("x"), List.of("y"))
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .addNode(node("Gelu", "gelu", List.of("x"), List.of("y")).toBuilder()
                        .setDomain("com.microsoft"));
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("out", "time", "batch", I))
                .addNode(call("F", "f", List.of("x"), List.of("out")));
        assertEquals("{Gelu=1}", GraphOracle.parts(GraphOracle.assertSame(write(graph, function), x())));
        function.removeOpsetImport(2);
        OnnxModel model = OnnxModel.open(write(graph, function));
        assertEquals("{F=1}", GraphOracle.parts(model)); // ONNX Runtime says what it thinks of it
    }

    @Test
    void aStackInAFunctionLoadsInPlainJava() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        FunctionProto.Builder function = encoder();
        function.removeNode(0).getNodeBuilder(0).setInput(0, "x");
        graph.addNode(call("Encoder", "enc", List.of("x", "a.W", "a.R", "a.B"), List.of("out")));
        assertEquals(H, OnnxLstm.load(write(graph, function)).outputSize());
    }

    @Test
    void recursionIsRefused() {
        FunctionProto.Builder f =
                function("F", List.of("x"), List.of("y")).addNode(call("G", "g", List.of("x"), List.of("y")));
        FunctionProto.Builder g =
                function("G", List.of("x"), List.of("y")).addNode(call("F", "f", List.of("x"), List.of("y")));
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("out", "time", "batch", I))
                .addNode(call("F", "f", List.of("x"), List.of("out")));
        assertRefused(
                model(graph, f, g),
                "model.onnx: function 'own.F': expected a function that doesn't call itself, found a cycle:"
                        + " function 'own.F', function 'own.G'");
    }

    @Test
    void invalidFunctionsAndCallsAreRefusedWithTheirNames() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", "batch", I));
        GraphProto.Builder one = graph.clone().addNode(call("F", "f", List.of("x"), List.of("out")));
        assertRefused(
                model(
                        one,
                        function("F", List.of("a"), List.of("b"))
                                .addNode(node("Add", "add", List.of("a", "x"), List.of("b")))),
                "function 'own.F': node 'add' (Add): input 'x': expected the name of a value, found one that nothing");
        assertRefused(
                model(
                        one,
                        function("F", List.of("a"), List.of("c"))
                                .addNode(node("Neg", "neg", List.of("a"), List.of("b")))),
                "function 'own.F': output 'c': expected the name of a value");
        assertRefused(
                model(
                        graph.clone().addNode(call("F", "f", List.of("x", "x"), List.of("out"))),
                        function("F", List.of("a"), List.of("b"))
                                .addNode(node("Neg", "neg", List.of("a"), List.of("b")))),
                "function 'own.F': call 'f': expected at most 1 inputs and 1 outputs, found 2 and 1");
        // The copy's value enc/t isn't the one that this node misses.
        assertRefused(
                model(
                        graph.clone()
                                .addNode(call("F", "enc", List.of("x"), List.of("z")))
                                .addNode(node("Neg", "neg", List.of("enc/t"), List.of("out"))),
                        function("F", List.of("a"), List.of("b"))
                                .addNode(node("Neg", "neg", List.of("a"), List.of("t")))
                                .addNode(node("Neg", "neg2", List.of("t"), List.of("b")))),
                "node 'neg' (Neg): input 'enc/t': expected the name of a value");
    }

    @Test
    void explosionsOfTensorsAreRefused() {
        // 2^9 copies share 16 MB in memory, but would take 8 GB in a model for ONNX Runtime.
        FunctionProto.Builder[] functions = new FunctionProto.Builder[10];
        AttributeProto value = AttributeProto.newBuilder()
                .setName("value")
                .setType(AttributeType.TENSOR)
                .setT(constant("", Tensor.of(new float[4 << 20], 4 << 20)))
                .build();
        for (int k = 0; k < 9; k++) {
            functions[k] = function("F" + k, List.of(), List.of("y"))
                    .addNode(call("F" + (k + 1), "", List.of(), List.of("t")))
                    .addNode(call("F" + (k + 1), "", List.of(), List.of("u")))
                    .addNode(node("Add", "", List.of("t", "u"), List.of("y")));
        }
        functions[9] =
                function("F9", List.of(), List.of("y")).addNode(node("Constant", "", List.of(), List.of("y"), value));
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addOutput(floats("out", 4 << 20))
                .addNode(call("F0", "f", List.of(), List.of("out")));
        assertRefused(model(graph, functions), "expected a graph of at most 2147483647 bytes, the limit of protobuf");
    }

    @Test
    void deepCallsAreRefused() {
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("out", "time", "batch", I))
                .addNode(call("F0", "f", List.of("x"), List.of("out")));
        FunctionProto.Builder[] functions = new FunctionProto.Builder[20_000];
        for (int k = 0; k < functions.length; k++) {
            functions[k] = function("F" + k, List.of("x"), List.of("y"))
                    .addNode(
                            k + 1 < functions.length
                                    ? call("F" + (k + 1), "c", List.of("x"), List.of("y"))
                                    : node("Neg", "n", List.of("x"), List.of("y")));
        }
        assertRefused(
                model(graph, functions), "expected calls and subgraphs within each other to a depth of at most 100");
    }

    @Test
    void operatorsOfOnnxRuntimeComeBeforeFunctionsOfTheSameName() {
        Map<String, String> operators = Map.of("", "Relu", "ai.onnx", "Relu", "com.microsoft", "Gelu");
        operators.forEach((domain, operator) -> {
            FunctionProto.Builder function = function(operator, List.of("x"), List.of("y"))
                    .setDomain(domain)
                    .addNode(node("Neg", "neg", List.of("x"), List.of("y")));
            GraphProto.Builder graph = graphOfX()
                    .addOutput(floats("y", "time", "batch", I))
                    .addNode(node(operator, "op", List.of("x"), List.of("y")).toBuilder()
                            .setDomain(domain));
            OnnxModel model = GraphOracle.assertSame(write(withMicrosoft(model(graph, function))), x());
            assertEquals("{" + operator + "=1}", GraphOracle.parts(model));
        });
    }

    private static ModelProto withMicrosoft(ModelProto model) {
        return model.toBuilder()
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .build();
    }

    @Test
    void anLstmInAFunctionOfOnnxRuntimesDomainIsNamed() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(node("Encoder", "enc", List.of("x", "a.W", "a.R", "a.B"), List.of("out")).toBuilder()
                .setDomain("com.microsoft"));
        ModelProto model = withMicrosoft(model(graph, encoder().setDomain("com.microsoft")));
        assertEquals(
                List.of(new KeptLstm(
                        "lstm",
                        "it is in function 'com.microsoft.Encoder', which is in domain com.microsoft, where ONNX"
                                + " Runtime's own operators come first")),
                OnnxModel.open(write(model)).kept());
        GraphOracle.assertSame(write(model), x());
    }
}

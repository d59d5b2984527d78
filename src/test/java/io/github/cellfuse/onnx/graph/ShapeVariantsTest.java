package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LSTMs in branches that the shapes of the inputs choose. */
class ShapeVariantsTest {
    private static final int N = 2, I = 3, H = 4;

    @TempDir
    Path folder;

    private final Random random = new Random(21);

    /** A branch with an LSTM of its own. */
    private static GraphProto.Builder branch(String name, String x, int seed) {
        GraphProto.Builder branch = GraphProto.newBuilder().addOutput(floats(name + ".out"));
        weights(branch, name, new Random(seed), 1, I, H);
        return branch.addNode(lstm(name, x, H))
                .addNode(node("Identity", name + ".copy", List.of(name + ".y"), List.of(name + ".out")));
    }

    private static NodeProto choose(String name, String condition, GraphProto.Builder yes, GraphProto.Builder no) {
        return node(
                "If",
                name,
                List.of(condition),
                List.of(name.equals("if") ? "y" : name + ".y"),
                graph("then_branch", yes),
                graph("else_branch", no));
    }

    private static NodeProto choose(String condition) {
        return choose("if", condition, branch("long", "x", 1), branch("short", "x", 2));
    }

    /** A graph with x [time, batch, 3] and y. */
    private static GraphProto.Builder graphOf(Object... shape) {
        return GraphProto.newBuilder()
                .addInput(shape.length == 0 ? floats("x") : floats("x", shape))
                .addOutput(floats("y", "time", 1, "batch", H))
                .addInitializer(number("zero", 0))
                .addInitializer(number("one", 1))
                .addInitializer(number("five", 5));
    }

    private static TensorProto number(String name, long value) {
        return constant(name, Tensor.of(new long[] {value}));
    }

    /** Long sequences take one LSTM, and short ones the other. */
    private Path byLength() {
        return Protos.write(
                folder,
                graphOf("time", "batch", I)
                        .addNode(node("Shape", "shape", List.of("x"), List.of("dims")))
                        .addNode(node("Gather", "length", List.of("dims", "zero"), List.of("t")))
                        .addNode(node("Greater", "greater", List.of("t", "five"), List.of("isLong")))
                        .addNode(choose("isLong")));
    }

    private Tensor x(int steps) {
        return Tensors.random(random, steps, N, I);
    }

    private static void assertRuns(OnnxSession session, Path model, String lstm, Map<String, Tensor> inputs) {
        Tensor expected = GraphOracle.whole(model, inputs).get("y");
        Tensors.assertClose(lstm, expected, session.run(inputs).get("y"), GraphOracle.TOLERANCE);
        Tensors.assertClose(lstm, expected, session.runInPlace(inputs).get("y"), GraphOracle.TOLERANCE);
        assertEquals(1, session.explain().size(), lstm);
        assertTrue(session.explain().get(0).startsWith("LSTM " + lstm + ": java: "), session.explain()::toString);
        assertEquals(1, session.engines().size(), lstm);
        assertEquals(
                List.of(lstm), session.resolved().orElseThrow().lstms().get(0).nodes());
        assertEquals(List.of(), session.resolved().orElseThrow().kept());
    }

    @Test
    void bothSidesInOneSession() {
        Path path = byLength();
        OnnxModel model = OnnxModel.open(path);
        assertTrue(model.lstms().isEmpty());
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            assertEquals(Optional.empty(), session.resolved());
            assertEquals(List.of(), session.explain());
            assertEquals(List.of(), session.engines());
            // Eight sets of shapes, more than are kept, there and back, so that some are opened again.
            for (int steps : new int[] {2, 9, 3, 8, 4, 7, 5, 6, 5, 7, 4, 8, 3, 9, 2, 2, 9}) {
                assertRuns(session, path, steps > 5 ? "long" : "short", Map.of("x", x(steps)));
            }
        }
    }

    @Test
    void enginesOfUnusedShapesAreClosedAndAllInTheEnd() {
        List<LstmEngine> opened = new ArrayList<>();
        Function<LstmModel, LstmEngine> opener = lstm -> {
            opened.add(LstmEngine.open(Device.JAVA, lstm, EngineOptions.DEFAULT));
            return opened.get(opened.size() - 1);
        };
        OnnxSession session = OnnxModel.open(byLength()).session(opener);
        assertEquals(0, opened.size());
        for (int steps : new int[] {1, 2, 3, 6, 1}) {
            session.run(Map.of("x", x(steps)));
        }
        assertEquals(4, opened.size());
        opened.forEach(engine -> assertEquals(false, isClosed(engine)));
        session.run(Map.of("x", x(7))); // instead of 2, which was used least recently
        assertEquals(5, opened.size());
        assertEquals(
                List.of(false, true, false, false, false),
                opened.stream().map(ShapeVariantsTest::isClosed).toList());
        session.run(Map.of("x", x(1)));
        assertEquals(5, opened.size());
        session.close();
        session.close();
        opened.forEach(engine -> assertEquals(true, isClosed(engine)));
        assertThrows(IllegalStateException.class, () -> session.run(Map.of("x", x(1))));
    }

    private static boolean isClosed(LstmEngine engine) {
        try {
            engine.newSession().close();
            return false;
        } catch (IllegalStateException e) {
            return true;
        }
    }

    /** A run that is refused changes nothing. */
    @Test
    void inputsThatDoNotFit() {
        Path path = byLength();
        try (OnnxSession session = OnnxModel.open(path).session(Device.JAVA, EngineOptions.DEFAULT)) {
            assertRuns(session, path, "long", Map.of("x", x(6)));
            InvalidInputException wrong = assertThrows(
                    InvalidInputException.class, () -> session.run(Map.of("x", Tensors.random(random, 2, N, I + 1))));
            assertEquals(
                    path + ": input 'x': expected float32 [time, batch, 3], found float32 [2, 2, 4]",
                    wrong.getMessage());
            assertThrows(InvalidInputException.class, () -> session.run(Map.of()));
            assertRuns(session, path, "long", Map.of("x", x(6)));
            assertRuns(session, path, "short", Map.of("x", x(2)));
        }
        OnnxModel model = OnnxModel.open(path);
        InvalidInputException shape =
                assertThrows(InvalidInputException.class, () -> model.withShapes(Map.of("x", new long[] {1, 2, 4})));
        assertEquals(
                path + ": input 'x': expected float32 [time, batch, 3], found shape [1, 2, 4]", shape.getMessage());
        assertThrows(CellFuseException.class, () -> model.withShapes(Map.of("z", new long[] {1})));
    }

    /** Without steps there is nothing to compute, which the LSTM on the device can do, and ONNX Runtime's can't. */
    @Test
    void noSteps() {
        try (OnnxSession session = OnnxModel.open(byLength()).session(Device.JAVA, EngineOptions.DEFAULT)) {
            Tensor y = session.run(Map.of("x", x(0))).get("y");
            assertEquals(
                    List.of(0L, 1L, (long) N, (long) H),
                    Arrays.stream(y.shape()).boxed().toList());
        }
    }

    /** What the model alone, and the shapes of one run, tell of an If. */
    private void assertChosen(GraphProto.Builder graph, boolean isAtOpening, Object... lengthsAndLstms) {
        Path path = Protos.write(folder, graph);
        OnnxModel model = OnnxModel.open(path);
        assertEquals(isAtOpening ? 1 : 0, model.lstms().size(), () -> "at opening: " + model.kept());
        if (!isAtOpening) {
            assertTrue(
                    model.kept().stream()
                            .allMatch(kept ->
                                    kept.reason().endsWith(", whose condition depends on the shapes of the inputs")),
                    model.kept()::toString);
        }
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            for (int k = 0; k < lengthsAndLstms.length; k += 2) {
                Tensor x = x((Integer) lengthsAndLstms[k]);
                String lstm = (String) lengthsAndLstms[k + 1];
                assertRuns(session, path, lstm, Map.of("x", x));
                assertEquals(
                        List.of(lstm),
                        model.withShapes(Map.of("x", x.shape())).lstms().get(0).nodes());
            }
        }
    }

    @Test
    void theRank() {
        NodeProto shape = node("Shape", "shape", List.of("x"), List.of("dims"));
        GraphProto.Builder bySize = graphOf("time", "batch", I)
                .addInitializer(number("three", 3))
                .addNode(shape)
                .addNode(node("Size", "size", List.of("dims"), List.of("rank")))
                .addNode(node("Equal", "equal", List.of("rank", "three"), List.of("is")))
                .addNode(choose("is"));
        assertChosen(bySize, true, 4, "long");
        GraphProto.Builder byShape = graphOf("time", "batch", I)
                .addInitializer(Protos.longs("two", 2))
                .addNode(shape)
                .addNode(node("Shape", "rank", List.of("dims"), List.of("rank")))
                .addNode(node("Equal", "equal", List.of("rank", "two"), List.of("flag")))
                .addNode(node("Squeeze", "squeeze", List.of("flag"), List.of("is")))
                .addNode(choose("is"));
        assertChosen(byShape, true, 4, "short");
    }

    /** An input whose rank the model doesn't declare. */
    @Test
    void anUndeclaredRank() {
        GraphProto.Builder graph = graphOf()
                .addInitializer(number("three", 3))
                .addNode(node("Shape", "shape", List.of("x"), List.of("dims")))
                .addNode(node("Size", "size", List.of("dims"), List.of("rank")))
                .addNode(node("Equal", "equal", List.of("rank", "three"), List.of("is")))
                .addNode(choose("is"));
        graph.setInput(0, graph.getInput(0).toBuilder().setType(undeclared()));
        assertChosen(graph, false, 4, "long", 7, "long");
    }

    private static TypeProto undeclared() {
        TypeProto.Builder type = floats("x").getType().toBuilder();
        type.getTensorTypeBuilder().clearShape();
        return type.build();
    }

    @Test
    void theNumberOfElements() {
        GraphProto.Builder graph = graphOf("time", "batch", I)
                .addInitializer(number("limit", 5 * N * I))
                .addNode(node("Size", "size", List.of("x"), List.of("count")))
                .addNode(node("Less", "less", List.of("count", "limit"), List.of("isShort")))
                .addNode(choose("if", "isShort", branch("short", "x", 2), branch("long", "x", 1)));
        assertChosen(graph, false, 4, "short", 5, "long", 6, "long", 1, "short");
    }

    /** The shape of a convolution's output, whose size follows from the input's. */
    @Test
    void theShapeOfAConvolution() {
        GraphProto.Builder graph = graphOf("time", "batch", I)
                .addInitializer(constant("w", scaled(random, I, I, 3)))
                .addInitializer(number("last", 2))
                .addNode(node("Transpose", "t", List.of("x"), List.of("xt"), integers("perm", 1L, 2L, 0L)))
                .addNode(node("Conv", "conv", List.of("xt", "w"), List.of("xc"), integers("strides", 2L)))
                .addNode(node("Transpose", "u", List.of("xc"), List.of("z"), integers("perm", 2L, 0L, 1L)))
                .addNode(node("Shape", "shape", List.of("xc"), List.of("dims")))
                .addNode(node("Gather", "length", List.of("dims", "last"), List.of("t2")))
                .addNode(node("Greater", "greater", List.of("t2", "five"), List.of("isLong")))
                .addNode(choose("if", "isLong", branch("long", "z", 1), branch("short", "z", 2)));
        assertChosen(graph, false, 12, "short", 13, "long", 3, "short", 30, "long");
    }

    /** The same where the shape of a value must be asked of ONNX Runtime, because no rule here gives it. */
    @Test
    void theShapeOfWhatHasNoRuleHere() {
        GraphProto.Builder graph = graphOf("time", "batch", I)
                .addInitializer(constant("scales", Tensor.of(new float[] {2, 1, 1}, 3)))
                .addInitializer(constant("none", Tensor.of(new float[0], 0)))
                .addNode(node("Resize", "resize", List.of("x", "none", "scales"), List.of("z")))
                .addNode(node("Shape", "shape", List.of("z"), List.of("dims")))
                .addNode(node("Gather", "length", List.of("dims", "zero"), List.of("t2")))
                .addNode(node("Greater", "greater", List.of("t2", "five"), List.of("isLong")))
                .addNode(choose("if", "isLong", branch("long", "z", 1), branch("short", "z", 2)));
        assertChosen(graph, false, 2, "short", 3, "long", 1, "short");
    }

    @Test
    void withinABranch() {
        GraphProto.Builder inner = GraphProto.newBuilder()
                .addOutput(floats("inner.y"))
                .addNode(node("Gather", "rows", List.of("dims", "one"), List.of("n")))
                .addNode(node("Equal", "equal", List.of("n", "one"), List.of("isSingle")))
                .addNode(choose("inner", "isSingle", branch("single", "x", 3), branch("many", "x", 4)));
        GraphProto.Builder graph = graphOf("time", "batch", I)
                .addNode(node("Shape", "shape", List.of("x"), List.of("dims")))
                .addNode(node("Gather", "length", List.of("dims", "zero"), List.of("t")))
                .addNode(node("Greater", "greater", List.of("t", "five"), List.of("isLong")))
                .addNode(choose("if", "isLong", inner, branch("short", "x", 2)));
        assertChosen(graph, false, 6, "many", 2, "short", 7, "many");
        Path path = Protos.write(folder, graph);
        try (OnnxSession session = OnnxModel.open(path).session(Device.JAVA, EngineOptions.DEFAULT)) {
            assertRuns(session, path, "single", Map.of("x", Tensors.random(random, 6, 1, I)));
            assertRuns(session, path, "short", Map.of("x", Tensors.random(random, 5, 1, I)));
            assertRuns(session, path, "many", Map.of("x", Tensors.random(random, 6, 2, I)));
        }
    }

    /** What an input's values decide stays in ONNX Runtime, next to what shapes decide. */
    @Test
    void dataDecideNothing() {
        GraphProto.Builder graph = graphOf("time", "batch", I)
                .addInput(value("flag", ElementType.BOOL))
                .addOutput(floats("data.y", "time", 1, "batch", H))
                .addNode(node("Shape", "shape", List.of("x"), List.of("dims")))
                .addNode(node("Gather", "length", List.of("dims", "zero"), List.of("t")))
                .addNode(node("Greater", "greater", List.of("t", "five"), List.of("isLong")))
                .addNode(choose("isLong"))
                .addNode(choose("data", "flag", branch("yes", "x", 5), branch("no", "x", 6)));
        Path path = Protos.write(folder, graph);
        OnnxModel model = OnnxModel.open(path);
        assertEquals(
                List.of(
                        new KeptLstm(
                                "long",
                                "it is in a branch of If if, whose condition depends on the shapes of the inputs"),
                        new KeptLstm(
                                "short",
                                "it is in a branch of If if, whose condition depends on the shapes of the inputs"),
                        new KeptLstm("yes", "it is in a branch of If data, whose condition depends on the inputs"),
                        new KeptLstm("no", "it is in a branch of If data, whose condition depends on the inputs")),
                model.kept());
        List<KeptLstm> kept = model.kept().subList(2, 4);
        assertEquals(kept, model.withShapes(Map.of("x", new long[] {6, -1, I})).kept());
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            for (int steps : new int[] {2, 6, 3, 7}) {
                Tensor flag = new Tensor(ElementType.BOOL, Tensor.allocate(1).put(0, (byte) (steps & 1)));
                Map<String, Tensor> inputs = Map.of("x", x(steps), "flag", flag), results = session.run(inputs);
                GraphOracle.whole(path, inputs)
                        .forEach((name, value) ->
                                Tensors.assertClose(name, value, results.get(name), GraphOracle.TOLERANCE));
                assertEquals(kept, session.resolved().orElseThrow().kept());
                assertEquals(1, session.explain().size());
            }
        }
    }

    /** A stream whose frames are of one length, and then another stream of the same session. */
    @Test
    void streams() {
        GraphProto.Builder graph = graphOf("time", "batch", I)
                .addInput(floats("s", 1, "batch", H))
                .addOutput(floats("sn", 1, "batch", H))
                .addInitializer(Protos.longs("axis", 0))
                .addNode(node("Shape", "shape", List.of("x"), List.of("dims")))
                .addNode(node("Gather", "length", List.of("dims", "zero"), List.of("t")))
                .addNode(node("Greater", "greater", List.of("t", "five"), List.of("isLong")))
                .addNode(choose("isLong"))
                .addNode(node("ReduceSum", "sum", List.of("y", "axis"), List.of("all"), Protos.integer("keepdims", 0)))
                .addNode(node("Add", "add", List.of("all", "s"), List.of("sn")));
        Path path = Protos.write(folder, graph);
        try (OnnxSession session = OnnxModel.open(path).session(Device.JAVA, EngineOptions.DEFAULT)) {
            OnnxStream stream = new OnnxStream(session, Map.of("s", "sn"));
            for (int steps : new int[] {4, 6}) {
                stream.reset();
                Tensor state = Tensor.zeros(ElementType.FLOAT32, 1, N, H);
                for (int frame = 0; frame < 3; frame++) {
                    Tensor x = x(steps);
                    Map<String, Tensor> expected = GraphOracle.whole(path, Map.of("x", x, "s", state));
                    state = expected.get("sn");
                    Tensors.assertClose("sn", state, stream.run(Map.of("x", x)).get("sn"), 5 * GraphOracle.TOLERANCE);
                }
            }
        }
    }
}

package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.bidirectional;
import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.constantNode;
import static io.github.cellfuse.onnx.graph.Protos.flag;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.spi.HalfPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs of many forms, cut at their LSTMs, against ONNX Runtime on the whole of them. */
class OnnxModelTest {
    private static final int T = 5, N = 3, I = 4, H = 6;

    @TempDir
    Path folder;

    private Random random;

    @BeforeEach
    void seed() {
        long seed = TestEngines.seed(20260315);
        System.out.println("OnnxModelTest: -Dcellfuse.seed=" + seed);
        random = new Random(seed);
    }

    private Map<String, Tensor> x() {
        return Map.of("x", Tensors.random(random, T, N, I));
    }

    private GraphProto.Builder graphOfX() {
        return GraphProto.newBuilder().addInput(floats("x", "time", "batch", I));
    }

    private Path write(GraphProto.Builder graph) {
        return Protos.write(folder, graph);
    }

    @Test
    void aNodeAloneNeedsNothingElse() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("a.y", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(lstm("a", "x", H));
        assertEquals("[a]", GraphOracle.parts(GraphOracle.assertSame(write(graph), x())));
    }

    @Test
    void everyInputAndOutputOfTheOperatorInBothLayouts() {
        for (int layout = 0; layout < 2; layout++) {
            for (int directions = 1; directions <= 2; directions++) {
                GraphProto.Builder graph =
                        layout == 0 ? graphOfX() : GraphProto.newBuilder().addInput(floats("x", "batch", "time", I));
                Object outer = layout == 0 ? directions : "batch", inner = layout == 0 ? "batch" : directions;
                graph.addInput(value("n", ElementType.INT32, "batch"))
                        .addInput(floats("h0", outer, inner, H))
                        .addInput(floats("c0", outer, inner, H));
                for (String output : List.of("a.y", "h", "c")) {
                    graph.addOutput(floats(output));
                }
                graph.setOutput(0, floats("a.y", "", "", "", H))
                        .setOutput(1, floats("h", outer, inner, H))
                        .setOutput(2, floats("c", outer, inner, H));
                weights(graph, "a", random, directions, I, H);
                List<String> more = List.of("n", "h0", "c0");
                if (layout == 0) {
                    graph.addNode(
                            directions == 2
                                    ? lstm("a", "x", H, more, List.of("h", "c"), bidirectional())
                                    : lstm("a", "x", H, more, List.of("h", "c")));
                } else {
                    graph.addNode(
                            directions == 2
                                    ? lstm("a", "x", H, more, List.of("h", "c"), integer("layout", 1), bidirectional())
                                    : lstm("a", "x", H, more, List.of("h", "c"), integer("layout", 1)));
                }
                Path path = write(graph);
                boolean isByTime = layout == 0;
                long[] state = isByTime ? new long[] {directions, N, H} : new long[] {N, directions, H};
                Map<String, Tensor> inputs = Map.of(
                        "x",
                        isByTime ? Tensors.random(random, T, N, I) : Tensors.random(random, N, T, I),
                        "n",
                        Tensor.of(new int[] {T, 0, 2}, N),
                        "h0",
                        Tensors.random(random, state),
                        "c0",
                        Tensors.random(random, state));
                if (isByTime) {
                    GraphOracle.assertSame(path, inputs);
                } else {
                    // ONNX Runtime has no layout 1: the same by hand.
                    assertSameAsByTime(path, graph, inputs, directions);
                }
            }
        }
    }

    private void assertSameAsByTime(Path path, GraphProto.Builder graph, Map<String, Tensor> inputs, int directions) {
        GraphProto.Builder other = graph.clone();
        other.setInput(0, floats("x", "time", "batch", I))
                .setInput(2, floats("h0", directions, "batch", H))
                .setInput(3, floats("c0", directions, "batch", H));
        for (int k = 0; k < 3; k++) {
            other.setOutput(
                    k,
                    floats(graph.getOutput(k).getName(), "", "", "", "").toBuilder()
                            .clearType()
                            .build());
            other.setOutput(
                    k,
                    k == 0
                            ? floats("a.y", "", "", "", H)
                            : floats(graph.getOutput(k).getName(), directions, "", H));
        }
        other.getNodeBuilder(0).removeAttribute(1);
        Map<String, Tensor> turned = new LinkedHashMap<>(inputs);
        for (String name : List.of("x", "h0", "c0")) {
            turned.put(name, transposed(inputs.get(name), 1, 0, 2));
        }
        Map<String, Tensor> expected = GraphOracle.whole(write(other), turned);
        OnnxModel model = OnnxModel.open(path);
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                Map<String, Tensor> found = session.run(inputs);
                String what = device + " D=" + directions;
                Tensors.assertClose(
                        what, transposed(expected.get("a.y"), 2, 0, 1, 3), found.get("a.y"), GraphOracle.TOLERANCE);
                Tensors.assertClose(
                        what, transposed(expected.get("h"), 1, 0, 2), found.get("h"), GraphOracle.TOLERANCE);
                Tensors.assertClose(
                        what, transposed(expected.get("c"), 1, 0, 2), found.get("c"), GraphOracle.TOLERANCE);
            }
        }
    }

    @Test
    void layersOfOneModelMayDifferInLayout() {
        // ONNX Runtime has no layout 1: it gets the same with the axes exchanged around the first node.
        List<String> none = List.of();
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", "time", I))
                .addOutput(floats("b.y", "time", 2, "batch", H))
                .addOutput(floats("ah", "batch", 2, H))
                .addOutput(floats("bc", 2, "batch", H));
        weights(graph, "a", random, 2, I, H);
        weights(graph, "b", random, 2, 2 * H, H);
        graph.addInitializer(longs("flat", 0, 0, -1));
        GraphProto.Builder other = graph.clone();
        graph.addNode(lstm("a", "x", H, none, List.of("ah"), bidirectional(), integer("layout", 1)))
                .addNode(node("Reshape", "r", List.of("a.y", "flat"), List.of("m")))
                .addNode(node("Transpose", "t", List.of("m"), List.of("mt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("b", "mt", H, none, List.of("", "bc"), bidirectional()));
        other.addNode(node("Transpose", "t", List.of("x"), List.of("xt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("a", "xt", H, none, List.of("ah.t"), bidirectional()))
                .addNode(node("Transpose", "s", List.of("ah.t"), List.of("ah"), integers("perm", 1L, 0L, 2L)))
                .addNode(node("Transpose", "u", List.of("a.y"), List.of("yt"), integers("perm", 0L, 2L, 1L, 3L)))
                .addNode(node("Reshape", "r", List.of("yt", "flat"), List.of("m")))
                .addNode(lstm("b", "m", H, none, List.of("", "bc"), bidirectional()));
        Map<String, Tensor> inputs = Map.of("x", Tensors.random(random, N, T, I));
        Map<String, Tensor> expected = GraphOracle.whole(write(other), inputs);
        OnnxModel model = OnnxModel.open(write(graph));
        assertEquals("[a, b]", GraphOracle.parts(model));
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                session.run(inputs)
                        .forEach((name, found) -> Tensors.assertClose(
                                device + " " + name, expected.get(name), found, GraphOracle.TOLERANCE));
            }
        }
    }

    /** Axes in another order. */
    private static Tensor transposed(Tensor tensor, int... permutation) {
        int rank = permutation.length;
        long[] shape = new long[rank];
        for (int k = 0; k < rank; k++) {
            shape[k] = tensor.dimension(permutation[k]);
        }
        float[] values = new float[tensor.elementCount()];
        int[] index = new int[rank];
        for (int at = 0; at < values.length; at++) {
            int rest = at;
            for (int k = rank - 1; k >= 0; k--) {
                index[permutation[k]] = (int) (rest % shape[k]);
                rest /= (int) shape[k];
            }
            int from = 0;
            for (int k = 0; k < rank; k++) {
                from = from * (int) tensor.dimension(k) + index[k];
            }
            values[at] = tensor.floats().get(from);
        }
        return Tensor.of(values, shape);
    }

    @Test
    void twoLstmsWithASkipConnectionAreCutApart() {
        GraphProto.Builder graph =
                graphOfX().addOutput(floats("out", "time", "batch", H)).addOutput(floats("early", "time", "batch", H));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        graph.addInitializer(longs("one", 1));
        graph.addNode(lstm("a", "x", H))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("mid")))
                .addNode(lstm("b", "mid", H))
                .addNode(node("Squeeze", "t", List.of("b.y", "one"), List.of("top")))
                .addNode(node("Add", "skip", List.of("mid", "top"), List.of("out")))
                .addNode(node("Relu", "early", List.of("mid"), List.of("early")))
                .addNode(node("Neg", "dead", List.of("top"), List.of("nobody")));
        assertEquals("[a][b]{Add=1, Relu=1}", GraphOracle.parts(GraphOracle.assertSame(write(graph), x())));
    }

    @Test
    void statesOfOneLayerMayBeginAnother() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("b.y", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        graph.addInitializer(longs("one", 1));
        graph.addNode(lstm("a", "x", H, List.of(), List.of("h", "c")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("mid")))
                .addNode(lstm("b", "mid", H, List.of("", "h", "c"), List.of()));
        Path path = write(graph);
        GraphOracle.assertSame(path, x());
    }

    @Test
    void bidirectionalLayersWithEverythingBetween() {
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("out", "batch", 2))
                .addOutput(value("best", ElementType.INT64, "batch"))
                .addOutput(value("any", ElementType.BOOL, "batch", 2));
        weights(graph, "a", random, 2, I, H);
        weights(graph, "b", random, 2, 2 * H, H);
        graph.addInitializer(longs("flat", 0, 0, -1))
                .addInitializer(constant("w", scaled(random, 2 * H, 2)))
                .addInitializer(constant("zero", Tensor.of(new float[1], 1)));
        graph.addNode(lstm("a", "x", H, List.of(), List.of(), bidirectional()))
                .addNode(node("Transpose", "t", List.of("a.y"), List.of("u"), integers("perm", 0L, 2L, 1L, 3L)))
                .addNode(node("Reshape", "r", List.of("u", "flat"), List.of("v")))
                .addNode(node("Tanh", "act", List.of("v"), List.of("mid")))
                .addNode(lstm("b", "mid", H, List.of(), List.of("bh"), bidirectional()))
                .addNode(node("Transpose", "t2", List.of("bh"), List.of("bt"), integers("perm", 1L, 0L, 2L)))
                .addNode(node("Flatten", "f", List.of("bt"), List.of("bf")))
                .addNode(node("MatMul", "m", List.of("bf", "w"), List.of("out")))
                .addNode(node(
                        "ArgMax", "am", List.of("out"), List.of("best"), integer("axis", 1), integer("keepdims", 0)))
                .addNode(node("Greater", "g", List.of("out", "zero"), List.of("any")));
        OnnxModel model = GraphOracle.assertSame(write(graph), x());
        assertEquals("[a]{Tanh=1}[b]{ArgMax=1, Flatten=1, Greater=1, MatMul=1, Transpose=1}", GraphOracle.parts(model));
        assertTrue(model.lstms().get(0).isMerged());
    }

    @Test
    void batchFirstModelsAreTurnedByNobody() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", "time", I))
                .addOutput(floats("out", "batch", "time", 2 * H));
        weights(graph, "a", random, 2, I, H);
        graph.addInitializer(longs("flat", 0, 0, -1));
        graph.addNode(node("Transpose", "t", List.of("x"), List.of("xt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("a", "xt", H, List.of(), List.of(), bidirectional()))
                .addNode(node("Transpose", "u", List.of("a.y"), List.of("yt"), integers("perm", 0L, 2L, 1L, 3L)))
                .addNode(node("Reshape", "r", List.of("yt", "flat"), List.of("ym")))
                .addNode(node("Transpose", "v", List.of("ym"), List.of("out"), integers("perm", 1L, 0L, 2L)));
        OnnxModel model = GraphOracle.assertSame(write(graph), Map.of("x", Tensors.random(random, N, T, I)));
        assertEquals("[a]", GraphOracle.parts(model));
    }

    @Test
    void weightsThatAreComputedOfConstantsAreFolded() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("a.y", "time", 1, "batch", H));
        graph.addInitializer(constant("w", scaled(random, I, 4 * H)))
                .addInitializer(constant("r", scaled(random, 4 * H, H)))
                .addInitializer(constant("b1", scaled(random, 4 * H)))
                .addInitializer(constant("b2", scaled(random, 4 * H)))
                .addInitializer(longs("axis", 0));
        graph.addNode(constantNode("two", Tensor.of(new float[] {2}, 1)))
                .addNode(node("Transpose", "t", List.of("w"), List.of("wt"), integers("perm", 1L, 0L)))
                .addNode(node("Mul", "m", List.of("wt", "two"), List.of("wm")))
                .addNode(node("Unsqueeze", "u1", List.of("wm", "axis"), List.of("a.W")))
                .addNode(node("Split", "sp", List.of("r"), List.of("r1", "r2"), integer("axis", 0)))
                .addNode(node("Concat", "cc", List.of("r2", "r1"), List.of("rc"), integer("axis", 0)))
                .addNode(node("Unsqueeze", "u2", List.of("rc", "axis"), List.of("a.R")))
                .addNode(node("Concat", "cb", List.of("b1", "b2"), List.of("bb"), integer("axis", 0)))
                .addNode(node("Unsqueeze", "u3", List.of("bb", "axis"), List.of("a.B")))
                .addNode(lstm("a", "x", H));
        assertEquals("[a]", GraphOracle.parts(GraphOracle.assertSame(write(graph), x())));
    }

    @Test
    void hugeConstantsAreRefusedBeforeTheyAreMade() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("a.y", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.removeInitializer(0)
                .addInitializer(longs("shape", 1, 1L << 40, I))
                .addNode(node("ConstantOfShape", "bomb", List.of("shape"), List.of("a.W")))
                .addNode(lstm("a", "x", H));
        Path path = write(graph);
        assertMessage(
                assertThrows(InvalidInputException.class, () -> OnnxModel.open(path)),
                path,
                "constants: value 'a.W'",
                Long.toString((1L << 40) * I * Float.BYTES));
    }

    @Test
    void weightsThatDependOnAnInputStayWithOnnxRuntime() {
        GraphProto.Builder graph = graphOfX().addInput(floats("scale")).addOutput(floats("b.y", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        graph.addInitializer(longs("one", 1));
        graph.addNode(node("Mul", "m", List.of("a.W", "scale"), List.of("scaled.W")))
                .addNode(node("LSTM", "a", List.of("x", "scaled.W", "a.R"), List.of("a.y"), integer("hidden_size", H)))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("mid")))
                .addNode(lstm("b", "mid", H));
        Path path = write(graph);
        Map<String, Tensor> inputs = new LinkedHashMap<>(x());
        Tensor scale = Tensor.of(new float[] {0.5f});
        inputs.put("scale", scale);
        OnnxModel model = GraphOracle.assertSame(path, inputs);
        assertEquals(List.of(new KeptLstm("a", "its weights 'scaled.W' aren't constant")), model.kept());
        assertEquals("{LSTM=1, Mul=1, Squeeze=1}[b]", GraphOracle.parts(model));
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            Map<String, Tensor> empty = Map.of("x", Tensors.random(random, T, 0, I), "scale", scale);
            refused(
                    session,
                    empty,
                    "input 'x'",
                    "at least one element, because LSTM a runs in ONNX Runtime",
                    "[5, 0, 4]");
        }
        inputs.remove("scale");
        OnnxModel bound = GraphOracle.assertSame(path, inputs, Map.of("scale", scale), GraphOracle.TOLERANCE);
        assertEquals(List.of(), bound.kept());
        assertEquals("[a, b]", GraphOracle.parts(bound));
        assertEquals(List.of("x"), bound.inputs().stream().map(GraphValue::name).toList());
    }

    /** A branch with an LSTM whose names are those of the other branch, too, and that sees values around it. */
    private GraphProto.Builder branch(String lstm, String outer) {
        GraphProto.Builder branch =
                GraphProto.newBuilder().addOutput(untyped("r")).addOutput(untyped("s"));
        weights(branch, lstm, random, 1, I, H);
        branch.addNode(node("Relu", "relu", List.of(outer), List.of("inner")))
                .addNode(lstm(lstm, "inner", H))
                .addNode(node("Identity", "i", List.of(lstm + ".y"), List.of("r")))
                .addNode(node("ReduceSum", "rs", List.of(lstm + ".y"), List.of("s"), integer("keepdims", 0)));
        return branch;
    }

    /** Values of branches need no types. */
    private static ValueInfoProto untyped(String name) {
        return ValueInfoProto.newBuilder().setName(name).build();
    }

    private Path nestedBranches() {
        GraphProto.Builder inner = GraphProto.newBuilder()
                .addOutput(untyped("p"))
                .addOutput(untyped("q"))
                .addInitializer(flag("yes", true))
                .addNode(node("Not", "not", List.of("yes"), List.of("no")))
                .addNode(node("Neg", "neg", List.of("x"), List.of("relu.in")))
                .addNode(node(
                        "If",
                        "nested",
                        List.of("no"),
                        List.of("p", "q"),
                        graph("then_branch", branch("a", "x")),
                        graph("else_branch", branch("a", "relu.in"))));
        GraphProto.Builder graph = graphOfX()
                .addInput(value("rate", ElementType.INT64))
                .addOutput(floats("y", "time", 1, "batch", H))
                .addOutput(floats("sum"));
        graph.addInitializer(constant("fast", Tensor.of(new long[] {16000})));
        graph.addNode(node("Equal", "eq", List.of("rate", "fast"), List.of("is")))
                .addNode(node(
                        "If",
                        "outer",
                        List.of("is"),
                        List.of("r", "sum"),
                        graph("then_branch", inner),
                        graph("else_branch", branch("b", "x"))))
                .addNode(node("Tanh", "t", List.of("r"), List.of("y")));
        return write(graph);
    }

    @Test
    void branchesThatAreAlwaysTakenAreInlined() {
        Path path = nestedBranches();
        for (long rate : new long[] {16000, 8000}) {
            OnnxModel model = GraphOracle.assertSame(
                    path, x(), Map.of("rate", Tensor.of(new long[] {rate})), GraphOracle.TOLERANCE);
            assertEquals(List.of(), model.kept());
            assertEquals(
                    rate == 16000 ? List.of("a") : List.of("b"),
                    model.lstms().get(0).nodes());
        }
    }

    @Test
    void nodesOfBranchesMayHaveTheSameNames() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("y", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addInitializer(flag("true", true));
        for (String name : List.of("p", "q")) {
            GraphProto.Builder branch = GraphProto.newBuilder()
                    .addOutput(floats("t"))
                    .addNode(node("Neg", "neg", List.of("x"), List.of("t")));
            graph.addNode(node(
                    "If",
                    "if " + name,
                    List.of("true"),
                    List.of(name),
                    graph("then_branch", branch.clone()),
                    graph("else_branch", branch)));
        }
        graph.addNode(node("Add", "neg", List.of("p", "q"), List.of("z")))
                .addNode(lstm("a", "z", H))
                .addNode(node("Neg", "neg/1", List.of("a.y"), List.of("y")));
        assertEquals("{Add=1, Neg=2}[a]{Neg=1}", GraphOracle.parts(GraphOracle.assertSame(write(graph), x())));
    }

    @Test
    void branchesThatDependOnAnInputStay() {
        Path path = nestedBranches();
        Map<String, Tensor> inputs = new LinkedHashMap<>(x());
        inputs.put("rate", Tensor.of(new long[] {8000}));
        OnnxModel model = GraphOracle.assertSame(path, inputs);
        String reason = "it is in a branch of If ";
        assertEquals(
                List.of("a", "a", "b"),
                model.kept().stream().map(KeptLstm::node).toList());
        model.kept().forEach(lstm -> assertTrue(lstm.reason().startsWith(reason), lstm.reason()));
        assertEquals(List.of(), model.lstms());
    }

    @Test
    void anLstmInALoopStays() {
        GraphProto.Builder body = GraphProto.newBuilder()
                .addInput(value("i", ElementType.INT64))
                .addInput(value("go", ElementType.BOOL))
                .addInput(floats("z", T, N, H))
                .addOutput(value("go.out", ElementType.BOOL))
                .addOutput(floats("z.out", T, N, H))
                .addNode(node("Identity", "id", List.of("go"), List.of("go.out")))
                .addNode(lstm("a", "z", H))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("z.out")));
        GraphProto.Builder graph =
                GraphProto.newBuilder().addInput(floats("x", T, N, H)).addOutput(floats("b.y", T, 1, N, H));
        weights(graph, "a", random, 1, H, H);
        weights(graph, "b", random, 1, H, H);
        graph.addInitializer(longs("one", 1))
                .addInitializer(constant("times", Tensor.of(new long[] {2})))
                .addInitializer(flag("true", true))
                .addNode(node("Loop", "loop", List.of("times", "true", "x"), List.of("w"), graph("body", body)))
                .addNode(lstm("b", "w", H));
        OnnxModel model = GraphOracle.assertSame(write(graph), Map.of("x", Tensors.random(random, T, N, H)));
        assertEquals(List.of(new KeptLstm("a", "it is in the body of Loop loop")), model.kept());
        assertEquals("{Loop=1}[b]", GraphOracle.parts(model));
    }

    @Test
    void aGraphWithoutLstmsRuns() {
        GraphProto.Builder graph = graphOfX()
                .addOutput(floats("out", "time", "batch", I))
                .addOutput(floats("x", "time", "batch", I))
                .addOutput(floats("k", 2))
                .addInitializer(constant("k", Tensor.of(new float[] {1, -0f}, 2)))
                .addNode(node("Relu", "r", List.of("x"), List.of("out")));
        assertEquals("{Relu=1}", GraphOracle.parts(GraphOracle.assertSame(write(graph), x())));
    }

    @Test
    void shapesThatDependOnValuesAreFoundInARun() {
        GraphProto.Builder graph = graphOfX()
                .addOutput(value("where", ElementType.INT64, 4, "count"))
                .addOutput(floats("b.y", "many", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        // The steps of b are those of a with a positive first value: as many as there happen to be.
        graph.addInitializer(constant("zero", Tensor.of(new float[1], 1))).addInitializer(longs("one", 1));
        graph.addInitializer(longs("starts", 0, 0, 0))
                .addInitializer(longs("ends", 99, 1, 1))
                .addInitializer(longs("axes", 0, 1, 2));
        graph.addInitializer(longs("all", -1));
        graph.addNode(lstm("a", "x", H))
                .addNode(node("Greater", "g", List.of("a.y", "zero"), List.of("positive")))
                .addNode(node("NonZero", "nz", List.of("positive"), List.of("where")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("mid")))
                .addNode(node("Slice", "sl", List.of("mid", "starts", "ends", "axes"), List.of("first")))
                .addNode(node("Greater", "g2", List.of("first", "zero"), List.of("is")))
                .addNode(node("Reshape", "rs", List.of("is", "all"), List.of("flags")))
                .addNode(node("Compress", "c", List.of("mid", "flags"), List.of("some"), integer("axis", 0)))
                .addNode(lstm("b", "some", H));
        Path path = write(graph);
        OnnxModel model = OnnxModel.open(path);
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            for (int run = 0; run < 8; run++) {
                Map<String, Tensor> inputs = x();
                Map<String, Tensor> expected = GraphOracle.whole(path, inputs), found = session.runInPlace(inputs);
                expected.forEach(
                        (name, value) -> Tensors.assertClose(name, value, found.get(name), GraphOracle.TOLERANCE));
            }
        }
    }

    @Test
    void otherFloatsAreConverted() {
        for (ElementType type : List.of(ElementType.FLOAT64, ElementType.FLOAT16)) {
            GraphProto.Builder graph = GraphProto.newBuilder()
                    .addInput(value("x", type, "time", "batch", I))
                    .addOutput(value("y", type, "time", 1, "batch", H))
                    .addOutput(value("h", type, 1, "batch", H));
            graph.addInitializer(constant("a.W", converted(scaled(random, 1, 4 * H, I), type)))
                    .addInitializer(constant("a.R", converted(scaled(random, 1, 4 * H, H), type)))
                    .addInitializer(constant("a.B", converted(scaled(random, 1, 8 * H), type)))
                    .addNode(node("Neg", "n", List.of("x"), List.of("z")))
                    .addNode(lstm("a", "z", H, List.of(), List.of("h")))
                    .addNode(node("Neg", "m", List.of("a.y"), List.of("y")));
            Path path = write(graph);
            Map<String, Tensor> inputs = Map.of("x", converted(Tensors.random(random, T, N, I), type));
            // ONNX Runtime has no LSTM of either. Results below 1 that are rounded to float16 differ by up to 2^-11.
            double tolerance = type == ElementType.FLOAT16 ? 0x1p-11 : GraphOracle.TOLERANCE;
            OnnxModel model = OnnxModel.open(path);
            try (OnnxSession judge = model.session(Device.REFERENCE, EngineOptions.DEFAULT)) {
                Map<String, Tensor> expected = judge.run(inputs);
                for (Device device : TestEngines.exact()) {
                    try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                        session.run(inputs)
                                .forEach((name, found) ->
                                        Tensors.assertClose(device + " " + name, expected.get(name), found, tolerance));
                    }
                }
            }
        }
    }

    private static Tensor converted(Tensor tensor, ElementType type) {
        float[] values = new float[tensor.elementCount()];
        tensor.floats().get(values);
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(values.length * type.bytes()).order(ByteOrder.nativeOrder());
        for (float value : values) {
            if (type == ElementType.FLOAT64) {
                bytes.putDouble(value);
            } else {
                bytes.putShort(HalfPrecision.floatToFloat16(value));
            }
        }
        return new Tensor(type, bytes.flip(), tensor.shape());
    }

    @Test
    void noStepsGiveZerosAsStatesAndNoRowsGiveNone() {
        GraphProto.Builder graph = graphOfX()
                .addInput(floats("h0", 1, "batch", H))
                .addOutput(floats("a.y", "time", 1, "batch", H))
                .addOutput(floats("h", 1, "batch", H))
                .addOutput(floats("c", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(lstm("a", "x", H, List.of("", "h0", "h0"), List.of("h", "c")));
        Path path = write(graph);
        // ONNX Runtime leaves the states undefined when there are no steps, and ends the process when there are no
        // rows.
        OnnxModel model = OnnxModel.open(path);
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                Map<String, Tensor> found = session.run(
                        Map.of("x", Tensors.random(random, T, 0, I), "h0", Tensors.random(random, 1, 0, H)));
                assertArrayEquals(new long[] {T, 1, 0, H}, found.get("a.y").shape());
                assertArrayEquals(new long[] {1, 0, H}, found.get("h").shape());
                Map<String, Tensor> none = session.run(
                        Map.of("x", Tensors.random(random, 0, N, I), "h0", Tensors.random(random, 1, N, H)));
                assertArrayEquals(new long[] {0, 1, N, H}, none.get("a.y").shape());
                Tensors.assertSame("h", Tensor.zeros(ElementType.FLOAT32, 1, N, H), none.get("h"));
                Tensors.assertSame("c", Tensor.zeros(ElementType.FLOAT32, 1, N, H), none.get("c"));
                session.run(Map.of("x", Tensors.random(random, T, N, I), "h0", Tensors.random(random, 1, N, H)));
            }
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        GraphProto.Builder graph = graphOfX()
                .addInput(value("n", ElementType.INT32, "batch"))
                .addOutput(floats("a.y", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(lstm("a", "x", H, List.of("n"), List.of()));
        Path path = write(graph);
        OnnxModel model = OnnxModel.open(path);
        Tensor x = Tensors.random(random, T, N, I), n = Tensor.of(new int[] {1, 2, 3}, N);
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            refused(session, Map.of("x", x), path, "input 'n'", "int32 [batch]", "found only x");
            refused(session, Map.of(), "found no inputs");
            refused(session, Map.of("x", x, "n", n, "z", n), "expected one of x, n, found 'z'");
            refused(
                    session,
                    Map.of("x", Tensor.of(new long[T * N * I], T, N, I), "n", n),
                    "float32",
                    "int64 [5, 3, 4]");
            refused(session, Map.of("x", Tensors.random(random, T, N), "n", n), "[time, batch, 4]", "[5, 3]");
            refused(session, Map.of("x", Tensors.random(random, T, N, I + 1), "n", n), "[time, batch, 4]", "[5, 3, 5]");
            refused(session, Map.of("x", x, "n", Tensor.of(new int[] {1, 2}, 2)), "LSTM a", "'n'", "[3]", "[2]");
            refused(
                    session,
                    Map.of("x", x, "n", Tensor.of(new int[] {1, T + 1, 0}, N)),
                    "LSTM a",
                    "'n'[1]",
                    "expected 0 to 5, found 6");
            session.run(Map.of("x", x, "n", n)); // it can go on
        }
        Map<String, Binding> unknown = Map.of("z", Binding.of(n)), wrong = Map.of("n", Binding.of(x));
        assertMessage(
                assertThrows(
                        InvalidInputException.class,
                        () -> OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(unknown))),
                "expected one of x, n");
        assertMessage(
                assertThrows(
                        InvalidInputException.class,
                        () -> OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(wrong))),
                "int32 [batch]");
    }

    @Test
    void closingClosesWhatItOpened() {
        GraphProto.Builder graph = graphOfX().addOutput(floats("y"));
        weights(graph, "a", random, 1, I, H);
        graph.addNode(lstm("a", "x", H)).addNode(node("Relu", "r", List.of("a.y"), List.of("y")));
        OnnxModel model = OnnxModel.open(write(graph));
        for (Device device : TestEngines.all()) {
            OnnxSession session = model.session(device, EngineOptions.DEFAULT);
            Map<String, Tensor> inputs = x();
            Map<String, Tensor> results = session.run(inputs);
            List<LstmEngine> engines = session.engines();
            session.close();
            session.close();
            assertThrows(IllegalStateException.class, () -> session.run(inputs));
            assertThrows(IllegalStateException.class, () -> engines.get(0).newSession());
            assertEquals(T * N * H, results.get("y").floats().remaining()); // the results are the caller's
        }
        // A device that fails leaves nothing open.
        List<LstmEngine> opened = new ArrayList<>();
        GraphProto.Builder two = graph.clone().addOutput(floats("b.y"));
        weights(two, "b", random, 1, I, H);
        two.addNode(lstm("b", "x", H));
        OnnxModel other = OnnxModel.open(write(two));
        assertThrows(
                IllegalArgumentException.class,
                () -> other.session(lstm -> {
                    if (!opened.isEmpty()) {
                        throw new IllegalArgumentException("no second one");
                    }
                    opened.add(LstmEngine.open(Device.JAVA, lstm));
                    return opened.get(0);
                }));
        assertThrows(IllegalStateException.class, () -> opened.get(0).newSession());
    }

    private static void refused(OnnxSession session, Map<String, Tensor> inputs, Object... parts) {
        assertMessage(assertThrows(InvalidInputException.class, () -> session.run(inputs)), parts);
    }

    private static void assertMessage(Exception e, Object... parts) {
        for (Object part : parts) {
            assertTrue(e.getMessage().contains(part.toString()), () -> "expected " + part + " in: " + e.getMessage());
        }
        assertEquals(1, e.getMessage().lines().count());
    }

    @Test
    void whatOnnxRuntimeRefusesIsSaidInOneLine() {
        GraphProto.Builder graph =
                graphOfX().addOutput(floats("y")).addNode(node("NoSuchOperator", "n", List.of("x"), List.of("y")));
        Path path = write(graph);
        InvalidInputException e = assertThrows(
                InvalidInputException.class, () -> OnnxModel.open(path).session());
        assertMessage(e, path, "part 1 of 1", "NoSuchOperator");
        GraphProto.Builder wrong = graphOfX()
                .addOutput(floats("y"))
                .addInitializer(constant("w", Tensor.of(new float[6], 3, 2)))
                .addNode(node("Reshape", "r", List.of("x", "shape"), List.of("flat")))
                .addNode(node("MatMul", "m", List.of("flat", "w"), List.of("y")))
                .addInput(value("shape", ElementType.INT64, 2));
        try (OnnxSession session = OnnxModel.open(write(wrong)).session(Device.JAVA, EngineOptions.DEFAULT)) {
            Map<String, Tensor> inputs = new LinkedHashMap<>(x());
            inputs.put("shape", Tensor.of(new long[] {T * N, I}, 2));
            Exception failure = assertThrows(CellFuseException.class, () -> session.run(inputs));
            assertMessage(failure, "part 1 of 1", "MatMul");
            // It can go on.
            inputs.put("shape", Tensor.of(new long[] {T * N * I / 3, 3}, 2));
            assertArrayEquals(
                    new long[] {T * N * I / 3, 2}, session.run(inputs).get("y").shape());
        }
    }

    @Test
    void tensorsAreWhatTheySay() {
        assertThrows(InvalidInputException.class, () -> Tensor.of(new float[3], 2));
        assertThrows(InvalidInputException.class, () -> Tensor.zeros(ElementType.INT64, 1L << 40));
        assertThrows(
                InvalidInputException.class, () -> Tensor.of(new float[2], 2).longs());
        Tensor big = new Tensor(
                ElementType.INT16, ByteBuffer.wrap(new byte[] {1, 2, 3, 4}).order(ByteOrder.BIG_ENDIAN), 2);
        assertEquals(0x0102, big.bytes().getShort(0));
        assertTrue(big.bytes().isReadOnly());
        long[] shape = big.shape();
        Arrays.fill(shape, 7);
        assertArrayEquals(new long[] {2}, big.shape());
    }
}

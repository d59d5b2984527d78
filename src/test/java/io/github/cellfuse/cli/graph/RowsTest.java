package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.constantNode;
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
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.graph.GraphOracle;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.graph.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code cellfuse run} cuts a batch where rows are independent, and nowhere else, whatever dimensions are called. */
class RowsTest {
    private static final int T = 6, N = 4, I = 5, H = 8;

    @TempDir
    Path folder;

    private final Random random = new Random(4);

    private GraphRun run(GraphProto.Builder graph, Map<String, Tensor> inputs) {
        return new GraphRun(folder, Protos.write(folder, graph), inputs);
    }

    private Tensor x(long... shape) {
        return Tensors.random(random, shape);
    }

    private static GraphProto.Builder withWeights(GraphProto.Builder graph) {
        weights(graph, "a", new Random(8), 1, I, H);
        return graph;
    }

    /** An LSTM with initial states, whose rows are the second axis of all. */
    private static GraphProto.Builder stateful(String rowsOfX, String rowsOfStates, String time) {
        return withWeights(GraphProto.newBuilder()
                .addInput(floats("x", time, rowsOfX, I))
                .addInput(floats("h0", 1, rowsOfStates, H))
                .addInput(floats("c0", 1, rowsOfStates, H))
                .addOutput(floats("y", time, rowsOfX, H))
                .addOutput(floats("hn", 1, rowsOfX, H))
                .addInitializer(longs("one", 1))
                .addNode(lstm("a", "x", H, List.of("", "h0", "c0"), List.of("hn")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("y"))));
    }

    @ParameterizedTest
    @CsvSource({
        "batch, batch, time",
        "batch_size, batch, seq",
        "unk__25, unk__26, unk__27",
        "s77, s17, s5",
        "?, ?, ?",
        "p2o.DynamicDimension.0, p2o.DynamicDimension.1, p2o.DynamicDimension.2",
        "'', '', ''",
        "time, seq, batch", // all of them wrong
        "n, time, n",
        "None, None, steps",
        "r, ?, ?",
    })
    void namesDoNotMatter(String rowsOfX, String rowsOfStates, String time) throws IOException {
        GraphRun run = run(
                stateful(rowsOfX, rowsOfStates, time),
                Map.of("x", x(T, N, I), "h0", scaled(random, 1, N, H), "c0", scaled(random, 1, N, H)));
        run.assertSameInPieces(1, 2, 3);
        String said = run.run("--batch", 2).said();
        assertTrue(said.contains("4 rows in 2 chunks of up to 2 rows"), said);
    }

    @Test
    void statesWithOtherNumbersOfRowsAreRefused() {
        Map<String, Tensor> inputs = Map.of("x", x(T, N, I), "h0", x(1, 3, H), "c0", x(1, N, H));
        run(stateful("batch", "batch", "time"), inputs)
                .assertRefused(List.of(), "expected ", "rows (batch) as input 'x' has, found ");
        run(stateful("batch", "b", "time"), inputs)
                .assertRefused(List.of("--batch", 2), "have different numbers of rows, 4 and 3");
    }

    /** The time that the LSTM recurs along is named like a batch, and nothing else could be cut. */
    @ParameterizedTest
    @ValueSource(strings = {"batch_size", "batch", "N", "unk__1", "s0", ""})
    void timeIsNeverCut(String name) throws IOException {
        GraphProto.Builder graph = withWeights(GraphProto.newBuilder()
                .addInput(floats("x", name, I))
                .addOutput(floats("y", name, H))
                .addInitializer(longs("one", 1))
                .addInitializer(longs("both", 1, 2))
                .addNode(node("Unsqueeze", "u", List.of("x", "one"), List.of("x3")))
                .addNode(lstm("a", "x3", H))
                .addNode(node("Squeeze", "s", List.of("a.y", "both"), List.of("y"))));
        GraphRun run = run(graph, Map.of("x", x(T, I)));
        run.assertSameInPieces();
        assertTrue(run.run().said().contains("cellfuse: all in one call"));
        run.assertRefused(
                List.of("--batch", 2),
                "--batch: expected a model whose rows don't depend on each other, found " + run.model(),
                "with rows along axis 0 of x, node 'a' (LSTM) recurs along the axis of the rows, its time axis",
                "--rows x=AXIS");
        // The user's word is taken, even if it is wrong.
        GraphRun.Result cut = run.run("--batch", 2, "--rows", "x=0,y=0");
        assertTrue(cut.said().contains("taking your word (--rows) that rows don't depend on each other"), cut.said());
        assertTrue(cut.said().contains("6 rows in 3 chunks of up to 2 rows"), cut.said());
        assertFalse(Files.mismatch(run.run().file(), cut.file()) == -1);
    }

    /** Minus the mean of all rows. */
    private GraphRun interacting(String rows) {
        GraphProto.Builder graph = withWeights(GraphProto.newBuilder()
                .addInput(floats("x", "time", rows, I))
                .addOutput(floats("y", "time", rows, H))
                .addInitializer(longs("one", 1))
                .addNode(node("ReduceMean", "mean", List.of("x"), List.of("m"), integers("axes", 1L)))
                .addNode(node("Sub", "minus", List.of("x", "m"), List.of("d")))
                .addNode(lstm("a", "d", H))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("y"))));
        return run(graph, Map.of("x", x(T, N, I)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch", "unk__3", ""})
    void rowsThatInteractStayTogether(String name) throws IOException {
        GraphRun run = interacting(name);
        run.assertSameInPieces();
        run.assertRefused(
                List.of("--batch", 2), "node 'mean' (ReduceMean) reduces along the axis of the rows", "--rows x=AXIS");
        Path info = run.model();
        String out = Cli.run("info", info).assertDone().out();
        assertTrue(
                out.contains("all in one piece: with rows along axis 1 of x, node 'mean' (ReduceMean) reduces along"),
                out);
        // The user's word: two halves, each minus its own mean.
        Object[] word = name.isEmpty() ? new Object[] {"--rows", "x=1,y=1"} : new Object[] {"--rows", "x=1"};
        GraphRun.Result cut = run.run(word[0], word[1], "--batch", 2);
        assertTrue(cut.said().contains("taking your word (--rows)"), cut.said());
        assertTrue(cut.said().contains("4 rows in 2 chunks of up to 2 rows"), cut.said());
        Tensor x = run.inputs().get("x");
        for (int half = 0; half < 2; half++) {
            Tensor part = OneRowTest.part(x, 1, 2 * half, 2);
            Tensor expected = GraphOracle.whole(run.model(), Map.of("x", part)).get("y");
            Tensors.assertClose(
                    "half " + half,
                    expected,
                    OneRowTest.part(cut.tensors().get("y"), 1, 2 * half, 2),
                    GraphOracle.TOLERANCE);
        }
    }

    @Test
    void namedRowsMustFit() {
        GraphRun run = interacting("");
        run.assertRefused(List.of("--rows", "x=1"), "--rows: expected the axis of output 'y'", "--rows y=AXIS");
        GraphProto.Builder twice = GraphProto.newBuilder()
                .addInput(floats("x", "d", "d"))
                .addOutput(floats("y", "d"))
                .addNode(node("ReduceSum", "sum", List.of("x", "zero"), List.of("y"), integer("keepdims", 0)))
                .addInitializer(longs("zero", 0));
        run(twice, Map.of("x", x(2, 3)))
                .assertRefused(List.of("--rows", "x=1"), "--rows: expected the axis of output 'y'");
        run.assertRefused(List.of("--rows", "x=3"), "--rows: expected an axis of 'x', float32 [time, ?, 5], found 3");
        run.assertRefused(List.of("--rows", "z=1"), "--rows: expected an input or output of", "x, y, found 'z'");
        run.assertRefused(List.of("--rows", "x"), "--rows: expected NAME=AXIS[,NAME=AXIS...], found 'x'");
        run.assertRefused(List.of("--rows", "x=1,x=0"), "--rows given twice for x");
        GraphRun states =
                run(stateful("batch", "b", "time"), Map.of("x", x(T, N, I), "h0", x(1, 3, H), "c0", x(1, N, H)));
        states.assertRefused(List.of("--rows", "x=1,h0=1,c0=1"), "rows as input '", "has, found ");
    }

    /** The dimension of a named input is that of the others which share its name. */
    @Test
    void namedRowsHoldForTheWholeDimension() throws IOException {
        GraphRun run = run(
                stateful("batch", "batch", "time"),
                Map.of("x", x(T, N, I), "h0", scaled(random, 1, N, H), "c0", scaled(random, 1, N, H)));
        assertEquals(
                -1,
                Files.mismatch(
                        run.run().file(),
                        run.run("--rows", "x=-2", "--batch", 3).file()));
    }

    /** The outputs are as long as the longest row of a run. */
    @Test
    void trimmedToTheLongestRow() throws IOException {
        GraphProto.Builder graph = withWeights(GraphProto.newBuilder()
                .addInput(floats("x", "batch", "time", I))
                .addInput(value("len", ElementType.INT64, "batch"))
                .addOutput(floats("y", "batch", "longest", H))
                .addInitializer(longs("zero", 0))
                .addInitializer(longs("one", 1))
                .addNode(node("Cast", "c", List.of("len"), List.of("len32"), integer("to", 6)))
                .addNode(node("Transpose", "t", List.of("x"), List.of("xt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("a", "xt", H, List.of("len32"), List.of()))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("ys")))
                .addNode(node("Transpose", "u", List.of("ys"), List.of("yt"), integers("perm", 1L, 0L, 2L)))
                .addNode(node("ReduceMax", "longest", List.of("len"), List.of("m")))
                .addNode(node("Slice", "trim", List.of("yt", "zero", "m", "one"), List.of("y"))));
        GraphRun run = run(graph, Map.of("x", x(N, T + 1, I), "len", Tensor.of(new long[] {2, 3, 6, 4}, N)));
        run.assertSameInPieces();
        run.assertRefused(
                List.of("--batch", 2), "node 'longest' (ReduceMax) reduces along the axis of the rows", "len=AXIS");
        Path out = folder.resolve("out.npz");
        AssertionError refused = assertThrows(AssertionError.class, () -> run.run("--batch", 2, "--rows", "x=0"));
        assertTrue(
                refused.getMessage()
                        .contains("output 'y': expected the same shape from every call, found [2, 3, 8] and then"
                                + " [2, 6, 8]; its size depends on the values in the rows, so compute all rows in one"
                                + " piece, without --batch and --rows"),
                refused::getMessage);
        assertFalse(Files.exists(out));
    }

    /** As tf2onnx writes it: initial states in the size of the batch, and each output with a name of its own. */
    @Test
    void zeroStatesInTheSizeOfTheBatch() throws IOException {
        GraphProto.Builder graph = withWeights(GraphProto.newBuilder()
                .addInput(floats("lstm_input:0", "unk__25", T, I))
                .addOutput(floats("Identity:0", "unk__26", T, H))
                .addOutput(floats("lstm/h:0", "unk__27", H))
                .addInitializer(longs("zero", 0))
                .addInitializer(longs("one", 1))
                .addInitializer(longs("units", H))
                .addInitializer(constant("none", Tensor.of(new float[1], 1, 1, 1)))
                .addNode(node("Shape", "shape", List.of("lstm_input:0"), List.of("dims")))
                .addNode(node("Slice", "count", List.of("dims", "zero", "one"), List.of("rows")))
                .addNode(node("Concat", "size", List.of("one", "rows", "units"), List.of("target"), integer("axis", 0)))
                .addNode(node("Expand", "zeros", List.of("none", "target"), List.of("h0")))
                .addNode(node("Transpose", "t", List.of("lstm_input:0"), List.of("xt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("a", "xt", H, List.of("", "h0", "h0"), List.of("hn")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("ys")))
                .addNode(node("Transpose", "u", List.of("ys"), List.of("Identity:0"), integers("perm", 1L, 0L, 2L)))
                .addNode(node("Squeeze", "v", List.of("hn", "zero"), List.of("lstm/h:0"))));
        run(graph, Map.of("lstm_input:0", x(3, T, I))).assertSameInPieces(1, 2, 3);
    }

    /** The condition only depends on a dimension that the model fixes; the LSTM in the branch runs on the device. */
    @Test
    void aBranchThatTheDeclaredShapeChooses() throws IOException {
        GraphProto.Builder given = withWeights(GraphProto.newBuilder()
                .addOutput(floats("g"))
                .addOutput(floats("gn"))
                .addNode(constantNode("zero", Tensor.of(new long[] {0}, 1)))
                .addNode(node("Split", "split", List.of("state"), List.of("h0", "c0"), integer("axis", 0)))
                .addNode(node("Unsqueeze", "u", List.of("x", "zero"), List.of("x3")))
                .addNode(lstm("a", "x3", H, List.of("", "h0", "c0"), List.of("h", "c")))
                .addNode(node("Squeeze", "q", List.of("h", "zero"), List.of("g")))
                .addNode(node("Concat", "join", List.of("h", "c"), List.of("gn"), integer("axis", 0))));
        GraphProto.Builder none = GraphProto.newBuilder()
                .addOutput(floats("e"))
                .addOutput(floats("en"))
                .addNode(node("Identity", "i", List.of("x"), List.of("e")))
                .addNode(node("Identity", "j", List.of("state"), List.of("en")));
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", I))
                .addInput(floats("state", 2, "batch", H))
                .addOutput(floats("y", "batch", H))
                .addOutput(floats("sn", 2, "batch", H))
                .addInitializer(longs("first", 0))
                .addNode(node("Shape", "shape", List.of("state"), List.of("dims")))
                .addNode(node("Gather", "gather", List.of("dims", "first"), List.of("size")))
                .addNode(node("Squeeze", "squeeze", List.of("size"), List.of("number")))
                .addNode(node(
                        "Cast",
                        "cast",
                        List.of("number"),
                        List.of("is"),
                        integer("to", TensorProto.DataType.BOOL_VALUE)))
                .addNode(node(
                        "If",
                        "if",
                        List.of("is"),
                        List.of("y", "sn"),
                        graph("then_branch", given),
                        graph("else_branch", none)));
        GraphRun run = run(graph, Map.of("x", x(3, I), "state", scaled(random, 2, 3, H)));
        run.assertSameInPieces(1, 2, 3);
        String info = Cli.run("info", run.model()).assertDone().out();
        assertTrue(info.contains("device: LSTM a"), info);
        assertTrue(info.contains("axis 0 of x, 1 of state -> 0 of y, 1 of sn"), info);
    }
}

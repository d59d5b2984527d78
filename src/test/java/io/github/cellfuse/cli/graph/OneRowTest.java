package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.GraphOracle;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.graph.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cellfuse run} with models that are made for one row, and files with several. */
class OneRowTest {
    private static final int T = 7, N = 4, I = 5, H = 6;

    @TempDir
    Path folder;

    private final Random random = new Random(14);

    /** Some of the indices along an axis. */
    static Tensor part(Tensor tensor, int axis, long first, long count) {
        ArrayBlock block = ArrayBlock.whole(tensor.shape()).part(axis, first, count);
        int width = tensor.type().bytes();
        ByteBuffer target =
                ByteBuffer.allocateDirect((int) block.elementCount() * width).order(ByteOrder.nativeOrder());
        block.forEach((inArray, inBlock, some) ->
                target.put(inBlock * width, tensor.bytes(), (int) inArray * width, some * width));
        return new Tensor(tensor.type(), target, block.size());
    }

    private GraphProto.Builder graph() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInitializer(longs("zero", 0))
                .addInitializer(longs("one", 1))
                .addInitializer(longs("two", 2));
        weights(graph, "a", new Random(8), 1, I, H);
        weights(graph, "b", new Random(9), 1, H, H);
        return graph;
    }

    private GraphRun run(GraphProto.Builder graph, Map<String, Tensor> inputs) {
        return new GraphRun(folder, Protos.write(folder, graph), inputs);
    }

    /**
     * Each row has the results of ONNX Runtime for this row alone.
     *
     * @param inputAxes the axis of the rows in each input; inputs that aren't named are the same for each row
     * @param outputAxes the axis of the rows in each output
     */
    private static GraphRun.Result assertRowByRow(
            GraphRun run, Map<String, Integer> inputAxes, Map<String, Integer> outputAxes, Object... options) {
        GraphRun.Result result = run.run(options);
        Map<String, Tensor> found = result.tensors();
        for (int row = 0; row < N; row++) {
            Map<String, Tensor> inputs = new LinkedHashMap<>(run.inputs());
            int at = row;
            inputAxes.forEach((name, axis) -> inputs.put(name, part(inputs.get(name), axis, at, 1)));
            Map<String, Tensor> expected = GraphOracle.whole(run.model(), inputs);
            outputAxes.forEach((name, axis) -> Tensors.assertClose(
                    name + " of row " + at,
                    expected.get(name),
                    part(found.get(name), axis, at, 1),
                    GraphOracle.TOLERANCE));
        }
        return result;
    }

    /** As PyTorch exports two layers and a linear one without dynamic axes: [7,1,5] becomes [1,1]. */
    private GraphProto.Builder classifier() {
        return graph().addInput(floats("x", T, 1, I))
                .addOutput(floats("p", 1, 1))
                .addInitializer(constant("w", scaled(random, 1, H)))
                .addNode(lstm("a", "x", H))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("ys")))
                .addNode(lstm("b", "ys", H, List.of(), List.of("h")))
                .addInitializer(constant("first", Tensor.of(new long[] {0})))
                .addNode(node("Gather", "last", List.of("h", "first"), List.of("hl")))
                .addNode(node("Gemm", "linear", List.of("hl", "w"), List.of("q"), integer("transB", 1)))
                .addNode(node("Sigmoid", "sigmoid", List.of("q"), List.of("p")));
    }

    @Test
    void rowByRow() {
        GraphRun run = run(classifier(), Map.of("x", Tensors.random(random, T, N, I)));
        GraphRun.Result result = assertRowByRow(run, Map.of("x", 1), Map.of("p", 0));
        assertArrayEquals(new long[] {N, 1}, result.tensors().get("p").shape());
        assertTrue(result.said().contains("4 rows one by one, because the model is made for one row\n"), result.said());
        run.run("--batch", 1);
        run.assertRefused(List.of("--batch", 2), "--batch: expected 1, because the model is made for one row, found 2");
        // The user may name the axes, too, but they must be those of the file.
        assertRowByRow(run, Map.of("x", 1), Map.of("p", 1), "--rows", "x=1,p=1");
        run.assertRefused(List.of("--rows", "x=0,p=0"), "--rows doesn't name axis 1 of 'x'");
    }

    @Test
    void filesThatDoNotFit() {
        for (long[] shape : new long[][] {{T, 0, I}, {T + 1, 1, I}, {T + 1, 2, I}, {T, I}, {T, 2, I + 1}}) {
            run(classifier(), Map.of("x", Tensors.random(random, shape)))
                    .assertRefused(List.of(), "input 'x': expected float32 [7, 1, 5], found shape [");
        }
        run(classifier(), Map.of("x", Tensors.random(random, N, T, 1, I)))
                .assertRefused(
                        List.of(), "[4, 7, 1, 5]; to run the model once for each index of an axis, use --frames");
    }

    /** One step of a recurrence: what is several times in the file is time, not rows. */
    @Test
    void timeIsNotTakenForRows() {
        GraphProto.Builder graph = graph().addInput(floats("x", 1, 1, I))
                .addInput(floats("h0", 1, 1, H))
                .addInput(floats("c0", 1, 1, H))
                .addOutput(floats("hn", 1, 1, H))
                .addOutput(floats("cn", 1, 1, H))
                .addNode(lstm("a", "x", H, List.of("", "h0", "c0"), List.of("hn", "cn")));
        Tensor state = scaled(random, 1, 1, H);
        GraphRun run = run(graph, Map.of("x", Tensors.random(random, T, 1, I), "h0", state, "c0", state));
        run.assertRefused(
                List.of(),
                "input 'x': expected float32 [1, 1, 5], found shape [7, 1, 5], and the rows can't be computed one by"
                        + " one: with rows along axis 0 of x, node 'a' (LSTM) recurs along the axis of the rows, its"
                        + " time axis; for a run for each index of axis 0 in order, use --frames x=0, with --state"
                        + " IN=OUT for what it passes on");
        run.run("--frames", "x=0", "--state", "h0=hn", "--state", "c0=cn");
    }

    /** The same without states, which the model makes itself. */
    @Test
    void timeOfAModelWithoutStates() {
        GraphProto.Builder graph = graph().addInput(floats("x", 1, 1, I))
                .addOutput(floats("a.y", 1, 1, 1, H))
                .addNode(lstm("a", "x", H));
        run(graph, Map.of("x", Tensors.random(random, T, 1, I)))
                .assertRefused(List.of(), "recurs along the axis of the rows", "use --frames 0, with --state IN=OUT");
    }

    @Test
    void initialStatesThatAreConstant() {
        GraphProto.Builder graph = graph().addInput(floats("x", 1, "time", I))
                .addOutput(floats("y", 1, "time", H))
                .addInitializer(constant("h0", scaled(random, 1, 1, H)))
                .addInitializer(constant("c0", scaled(random, 1, 1, H)))
                .addNode(node("Transpose", "t", List.of("x"), List.of("xt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("a", "xt", H, List.of("", "h0", "c0"), List.of()))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("ys")))
                .addNode(node("Transpose", "u", List.of("ys"), List.of("y"), integers("perm", 1L, 0L, 2L)));
        GraphRun run = run(graph, Map.of("x", Tensors.random(random, N, T, I)));
        assertRowByRow(run, Map.of("x", 0), Map.of("y", 0));
    }

    /** The shapes are literal: x.view(7, 1, 5) of a batch of one, and the result back to [1, 7, 6]. */
    @Test
    void reshapesToLiteralOnes() {
        GraphProto.Builder graph = graph().addInput(floats("x", 1, T, I))
                .addOutput(floats("y", 1, T, H))
                .addOutput(floats("last", 1, H))
                .addInitializer(longs("in", T, 1, I))
                .addInitializer(longs("out", 1, T, H))
                .addInitializer(longs("flat", 1, H))
                .addNode(node("Reshape", "r", List.of("x", "in"), List.of("xt")))
                .addNode(lstm("a", "xt", H, List.of(), List.of("h")))
                .addNode(node("Reshape", "q", List.of("a.y", "out"), List.of("y")))
                .addNode(node("Reshape", "f", List.of("h", "flat"), List.of("last")));
        GraphRun run = run(graph, Map.of("x", Tensors.random(random, N, T, I)));
        assertRowByRow(run, Map.of("x", 0), Map.of("y", 0, "last", 0));
    }

    @Test
    void squeezes() {
        GraphProto.Builder graph = graph().addInput(floats("x", T, 1, I))
                .addOutput(floats("y", T, 1, H))
                .addNode(lstm("a", "x", H))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("y")));
        GraphRun run = run(graph, Map.of("x", Tensors.random(random, T, N, I)));
        assertRowByRow(run, Map.of("x", 1), Map.of("y", 1));
        // Without the axis of the rows, nothing tells where they belong.
        GraphProto.Builder two = graph.clone()
                .addInitializer(longs("ones", 1, 2))
                .addOutput(floats("all", T, H))
                .addNode(node("Squeeze", "sq", List.of("a.y", "ones"), List.of("all")));
        run(two, run.inputs())
                .assertRefused(
                        List.of(),
                        "with rows along axis 1 of x, node 'sq' (Squeeze) removes the axis of the rows; for a run for"
                                + " each index of axis 1 in order, use --frames 1");
        assertRowByRow(run(two, run.inputs()), Map.of("x", 1), Map.of("y", 1), "--output-name", "y");
        GraphProto.Builder every =
                graph.addOutput(floats("all", T, H)).addNode(node("Squeeze", "sq", List.of("a.y"), List.of("all")));
        run(every, run.inputs())
                .assertRefused(List.of(), "node 'sq' (Squeeze) removes every axis that happens to have size 1");
    }

    /** Initial states in a file of one row are the same for each row; with as many rows as x, each row has its own. */
    @Test
    void inputsWithOneRowAndWithMany() {
        GraphProto.Builder graph = graph().addInput(floats("x", T, 1, I))
                .addInput(floats("h0", 1, 1, H))
                .addInput(floats("c0", 1, 1, H))
                .addOutput(floats("hn", 1, 1, H))
                .addNode(lstm("a", "x", H, List.of("", "h0", "c0"), List.of("hn")));
        Tensor x = Tensors.random(random, T, N, I), one = scaled(random, 1, 1, H), all = scaled(random, 1, N, H);
        GraphRun.Result same =
                assertRowByRow(run(graph, Map.of("x", x, "h0", one, "c0", one)), Map.of("x", 1), Map.of("hn", 1));
        assertTrue(
                same.said()
                        .contains("4 rows one by one, because the model is made for one row; h0, c0 are the same for"
                                + " each row\n"),
                same.said());
        assertRowByRow(run(graph, Map.of("x", x, "h0", all, "c0", one)), Map.of("x", 1, "h0", 1), Map.of("hn", 1));
        assertRowByRow(
                run(graph, Map.of("x", x, "h0", all, "c0", all)), Map.of("x", 1, "h0", 1, "c0", 1), Map.of("hn", 1));
        // Many initial states for one input.
        Tensor single = Tensors.random(random, T, 1, I);
        assertRowByRow(run(graph, Map.of("x", single, "h0", all, "c0", one)), Map.of("h0", 1), Map.of("hn", 1));
        run(graph, Map.of("x", x, "h0", scaled(random, 1, 3, H), "c0", one))
                .assertRefused(List.of(), "input 'h0': expected 4 rows as input 'x' has, found 3");
    }

    /** The states of two layers, stacked as DTLN has them: [1, layers, units, 2], the last axis h and c. */
    private GraphProto.Builder dtln() {
        int bins = 9;
        GraphProto.Builder graph = graph().addInput(floats("mag", 1, 1, bins))
                .addInput(floats("state", 1, 2, H, 2))
                .addOutput(floats("mask", 1, 1, bins))
                .addOutput(floats("state_out", 1, 2, H, 2))
                .addInitializer(constant("w", scaled(random, H, bins)))
                .addInitializer(constant("bias", scaled(random, bins)))
                .addInitializer(longs("minus", -1))
                .addInitializer(longs("three", 3))
                .addInitializer(longs("units", 1, 2, H))
                .addInitializer(longs("out", 1, 1, bins));
        weights(graph, "d", new Random(10), 1, bins, H);
        graph.addNode(node("Transpose", "time", List.of("mag"), List.of("x.d"), integers("perm", 1L, 0L, 2L)));
        String x = "x.d";
        for (String layer : List.of("d", "b")) {
            String first = layer.equals("d") ? "zero" : "one", end = layer.equals("d") ? "one" : "two";
            String own = "state." + layer, h = "h0." + layer, c = "c0." + layer;
            graph.addNode(node("Slice", own, List.of("state", first, end, "one"), List.of(own)))
                    .addNode(node("Slice", h, List.of(own, "zero", "one", "three"), List.of(h + "4")))
                    .addNode(node("Slice", c, List.of(own, "one", "two", "three"), List.of(c + "4")))
                    .addNode(node("Squeeze", h + "s", List.of(h + "4", "three"), List.of(h)))
                    .addNode(node("Squeeze", c + "s", List.of(c + "4", "three"), List.of(c)))
                    .addNode(lstm(layer, x, H, List.of("", h, c), List.of("h." + layer, "c." + layer)))
                    .addNode(node("Squeeze", "y." + layer, List.of(layer + ".y", "one"), List.of("ys." + layer)));
            x = "ys." + layer;
        }
        return graph.addNode(node("MatMul", "dense", List.of(x, "w"), List.of("wx")))
                .addNode(node("Add", "add", List.of("wx", "bias"), List.of("z")))
                .addNode(node("Sigmoid", "sigmoid", List.of("z"), List.of("p")))
                .addNode(node("Transpose", "rows", List.of("p"), List.of("mask"), integers("perm", 1L, 0L, 2L)))
                .addNode(node("Concat", "hs", List.of("h.d", "h.b"), List.of("h2"), integer("axis", 0)))
                .addNode(node("Concat", "cs", List.of("c.d", "c.b"), List.of("c2"), integer("axis", 0)))
                .addNode(node("Reshape", "hr", List.of("h2", "units"), List.of("h3")))
                .addNode(node("Reshape", "cr", List.of("c2", "units"), List.of("c3")))
                .addNode(node("Unsqueeze", "hu", List.of("h3", "minus"), List.of("h4")))
                .addNode(node("Unsqueeze", "cu", List.of("c3", "minus"), List.of("c4")))
                .addNode(node("Concat", "stack", List.of("h4", "c4"), List.of("state_out"), integer("axis", -1)));
    }

    @Test
    void streamsOfAModelForOneStream() {
        int streams = 3, frames = 12, bins = 9;
        Tensor mag = Tensors.random(random, streams, frames, bins);
        GraphRun run = run(dtln(), Map.of("mag", mag));
        GraphRun.Result result = run.run("--frames", "1", "--state", "state=state_out");
        assertTrue(
                result.said().contains("3 streams of 12 frames one by one, because the model is made for one stream\n"),
                result.said());
        Tensor masks = result.tensors().get("mask"), states = result.tensors().get("state_out");
        assertArrayEquals(new long[] {streams, frames, bins}, masks.shape());
        assertArrayEquals(new long[] {streams, 2, H, 2}, states.shape());
        Tensor begin = scaled(random, streams, 2, H, 2);
        Map<String, Tensor> others = run(run, Map.of("mag", mag, "state", begin), "mag=1");
        Map<String, Tensor> shared = run(run, Map.of("mag", mag, "state", part(begin, 0, 0, 1)), "mag=1");
        for (int stream = 0; stream < streams; stream++) {
            assertStream(run.model(), mag, stream, Tensor.zeros(begin.type(), 1, 2, H, 2), result.tensors());
            assertStream(run.model(), mag, stream, part(begin, 0, stream, 1), others);
            assertStream(run.model(), mag, stream, part(begin, 0, 0, 1), shared);
        }
    }

    private static Map<String, Tensor> run(GraphRun run, Map<String, Tensor> inputs, String frames) {
        return new GraphRun(run.folder(), run.model(), inputs)
                .run("--frames", frames, "--state", "state=state_out")
                .tensors();
    }

    /** A stream has the results of ONNX Runtime, frame by frame. */
    private static void assertStream(Path model, Tensor mag, int stream, Tensor begin, Map<String, Tensor> found) {
        Tensor own = part(mag, 0, stream, 1), mask = part(found.get("mask"), 0, stream, 1), state = begin;
        for (int frame = 0; frame < mag.dimension(1); frame++) {
            Map<String, Tensor> expected =
                    GraphOracle.whole(model, Map.of("mag", part(own, 1, frame, 1), "state", state));
            Tensors.assertClose(
                    "stream " + stream + ", frame " + frame,
                    expected.get("mask"),
                    part(mask, 1, frame, 1),
                    GraphOracle.TOLERANCE);
            state = expected.get("state_out");
        }
        Tensors.assertClose(
                "state of stream " + stream, state, part(found.get("state_out"), 0, stream, 1), GraphOracle.TOLERANCE);
    }

    /** The state isn't joined with the input as rows: it is added, and one row is broadcast. */
    @Test
    void streamsWhoseStateIsAdded() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", 1, I))
                .addInput(floats("s", 1, I))
                .addOutput(floats("sn", 1, I))
                .addNode(node("Add", "add", List.of("x", "s"), List.of("z")))
                .addNode(node("Tanh", "tanh", List.of("z"), List.of("sn")));
        Tensor file = Tensors.random(random, N, T, I);
        GraphRun.Result result = run(graph, Map.of("x", file)).run("--frames", "1", "--state", "s=sn");
        assertArrayEquals(new long[] {N, I}, result.tensors().get("sn").shape());
        double[] values = Tensors.values(file),
                found = Tensors.values(result.tensors().get("sn"));
        for (int row = 0; row < N; row++) {
            for (int i = 0; i < I; i++) {
                double state = 0;
                for (int t = 0; t < T; t++) {
                    state = Math.tanh(values[(row * T + t) * I + i] + state);
                }
                assertEquals(state, found[row * I + i], 1e-5);
            }
        }
    }
}

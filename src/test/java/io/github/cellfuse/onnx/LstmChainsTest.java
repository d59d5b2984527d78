package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.integers;
import static io.github.cellfuse.onnx.Graphs.longs;
import static io.github.cellfuse.onnx.Graphs.node;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LstmChainsTest {
    private static final Path NAME = Path.of("model.onnx");
    private static final int I = 3, H = 4;

    /** The names of the LSTMs of each chain, and after a bar the operators that remain. */
    private static String chains(OnnxFile file) {
        LstmChains chains =
                LstmChains.of(file.path(), file.graph(), file.opset(), file.foldedConstants(), file.tensors());
        String rest = chains.others().stream()
                .filter(n -> !n.is("Constant"))
                .map(n -> n.proto().getOpType())
                .collect(Collectors.joining(" "));
        return chains.chains().stream()
                        .map(chain -> chain.nodes().stream()
                                .map(n -> n.node().proto().getName())
                                .collect(Collectors.joining("+")))
                        .collect(Collectors.joining(" "))
                + " | " + rest;
    }

    private static String chains(GraphProto.Builder graph, long opset) {
        return chains(OnnxFile.of(NAME, Graphs.model(graph, opset)));
    }

    private static String chains(GraphProto.Builder graph) {
        return chains(graph, 14);
    }

    /** What PyTorch exports, one operator after another being named where it isn't clear. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            lstm; /lstm/LSTM | Squeeze
            lstm_batch_first; /lstm/LSTM | Transpose Squeeze Transpose
            lstm_layers_2; /lstm/LSTM+/lstm/LSTM_1 | Squeeze Concat Concat
            lstm_layers_3_batch_first; /lstm/LSTM+/lstm/LSTM_1+/lstm/LSTM_2 | Transpose Squeeze Transpose Concat Concat
            lstm_bidirectional_layers_3; /lstm/LSTM+/lstm/LSTM_1+/lstm/LSTM_2 | Transpose Reshape Concat Concat
            lstm_opset_7; /lstm/LSTM+/lstm/LSTM_1 | Transpose Cast Reshape Concat Concat
            lstm_static; /lstm/LSTM+/lstm/LSTM_1 | Transpose Transpose Reshape Transpose Concat Concat
            lstm_double; /lstm/LSTM+/lstm/LSTM_1 | Squeeze Concat Concat
            packed_bidirectional_layers_2_batch_first; /lstm/LSTM+/lstm/LSTM_1 | Cast Transpose Cast Transpose Reshape Concat Concat Transpose
            tagger; /lstm/LSTM+/lstm/LSTM_1 | Gather Transpose Transpose Reshape Transpose MatMul Add
            tagger_unfolded; /lstm/LSTM+/lstm/LSTM_1 | Gather Transpose Transpose Reshape Transpose Transpose MatMul Add
            classifier; /first/LSTM+/second/LSTM | Transpose Conv Relu Transpose Squeeze Transpose Gather Gemm Softmax
            streaming; /lstm/LSTM+/lstm/LSTM_1 | Gemm Relu Unsqueeze Slice Slice Slice Slice Squeeze Concat Concat Squeeze Relu Gemm Sigmoid
            """)
    void findsWhatPyTorchExports(String name, String expected) {
        assertEquals(expected, chains(OnnxFile.open(Cases.file(name + ".onnx"))));
    }

    @Test
    void aChainSaysWhatGoesInAndOut() {
        OnnxFile file = OnnxFile.open(Cases.file("streaming.onnx"));
        LstmChain chain = LstmChains.of(file.path(), file.graph(), file.opset(), file.constants(), file.tensors())
                .chains()
                .get(0);
        assertEquals(2, chain.model().layerCount());
        assertEquals(6, chain.model().outputSize());
        assertEquals(chain.nodes().get(0), chain.first());
        assertEquals(chain.nodes().get(1), chain.last());
        assertTrue(chain.first().initialH().isPresent());
        assertTrue(chain.last().initialC().isPresent());
        assertTrue(chain.first().yH().isPresent());
    }

    @Test
    void initialStatesOfZerosAreLeftOut() {
        OnnxFile file = OnnxFile.open(Cases.file("classifier.onnx"));
        LstmChain chain = LstmChains.of(file.path(), file.graph(), file.opset(), file.constants(), file.tensors())
                .chains()
                .get(0);
        for (LstmNode node : chain.nodes()) {
            assertEquals(Optional.empty(), node.initialH());
            assertEquals(Optional.empty(), node.initialC());
        }
        // But not those of -0, nor of anything else.
        GraphProto.Builder graph = stack(1, 0, "y0");
        graph.setNode(0, graph.getNode(0).toBuilder().addAllInput(List.of("", "", "first_h", "first_c")))
                .addInitializer(Graphs.floats("first_h", new float[] {0, -0f, 0, 0}, 1, 1, 4))
                .addInitializer(Graphs.floats("first_c", new float[4], 1, 1, 4));
        OnnxFile own = OnnxFile.of(NAME, Graphs.model(graph, 14));
        LstmNode node = LstmChains.of(NAME, own.graph(), 14, own.constants(), own.tensors())
                .chains()
                .get(0)
                .first();
        assertEquals(Optional.of("first_h"), node.initialH());
        assertEquals(Optional.empty(), node.initialC());
    }

    /**
     * LSTMs {@code lstm0}, {@code lstm1} … of x0, x1 … with outputs y0, y1 …, in the given layout, of one direction.
     */
    private static GraphProto.Builder stack(int count, int layout, String... outputs) {
        return stack(count, layout, 1, outputs);
    }

    private static GraphProto.Builder stack(int count, int layout, int directions, String... outputs) {
        GraphProto.Builder graph = graph(List.of("x0"), List.of(outputs));
        Random random = new Random(3);
        for (int k = 0; k < count; k++) {
            int inputs = k == 0 ? I : directions * H;
            graph.addInitializer(Graphs.floats(
                    "W" + k, RandomLstm.values(random, directions * 4 * H * inputs, 1), directions, 4 * H, inputs));
            graph.addInitializer(
                    Graphs.floats("R" + k, RandomLstm.values(random, directions * 4 * H * H, 1), directions, 4 * H, H));
            NodeProto.Builder node = node("LSTM", List.of("x" + k, "W" + k, "R" + k), "y" + k, "h" + k, "c" + k)
                    .setName("lstm" + k);
            if (layout == 1) {
                node.addAttribute(attribute("layout", 1));
            }
            if (directions == 2) {
                node.addAttribute(attribute("direction", "bidirectional"));
            }
            graph.addNode(node);
        }
        return graph;
    }

    /** Two LSTMs with {@code between} from y0 to x1. */
    private static GraphProto.Builder between(int directions, int layout, NodeProto.Builder... between) {
        GraphProto.Builder graph = stack(2, layout, directions, "y1");
        for (NodeProto.Builder node : between) {
            graph.addNode(node);
        }
        return graph.addInitializer(longs("one", 1)).addInitializer(longs("two", 2));
    }

    private static final String CHAIN = "lstm0+lstm1 | ";

    @Test
    void followsOneDirection() {
        assertEquals(CHAIN, chains(between(1, 0, node("Squeeze", List.of("y0", "one"), "x1"))));
        assertEquals(CHAIN, chains(between(1, 1, node("Squeeze", List.of("y0", "two"), "x1"))));
        assertEquals(
                CHAIN,
                chains(between(1, 0, node("Squeeze", List.of("y0"), "x1").addAttribute(integers("axes", -3))), 11));
        assertEquals(
                CHAIN,
                chains(
                        between(
                                1,
                                0,
                                node("Identity", List.of("y0"), "a"),
                                node("Dropout", List.of("a"), "b", "mask"),
                                node("Cast", List.of("b"), "c").addAttribute(attribute("to", DataType.FLOAT_VALUE)),
                                node("Transpose", List.of("c"), "d").addAttribute(integers("perm", 1, 0, 2, 3)),
                                node("Unsqueeze", List.of("d"), "e").addAttribute(integers("axes", 0, -1)),
                                node("Squeeze", List.of("e"), "x1").addAttribute(integers("axes", 0, 1, 5))),
                        12));
    }

    @Test
    void followsBothDirections() {
        NodeProto.Builder turned = node("Transpose", List.of("y0"), "t").addAttribute(integers("perm", 0, 2, 1, 3));
        GraphProto.Builder graph = between(2, 0, turned, node("Reshape", List.of("t", "shape"), "x1"));
        assertEquals(CHAIN, chains(graph.clone().addInitializer(longs("shape", 0, 0, -1))));
        assertEquals(CHAIN, chains(graph.clone().addInitializer(longs("shape", 0, 0, 2 * H))));
        assertEquals(CHAIN, chains(graph.clone().addInitializer(longs("shape", 0, -1, 2 * H))));
        // Two sizes that are open, another number of units, or a time that is only said to be 5.
        for (long[] shape : new long[][] {{-1, -1, 2 * H}, {0, 0, H}, {5, -1, 2 * H}, {0, 0, 2, H}, {0, -1, 0}, {}}) {
            assertEquals(
                    "lstm0 lstm1 | Transpose Reshape",
                    chains(graph.clone().addInitializer(longs("shape", shape))),
                    List.of(shape).toString());
        }
        // Not transposed: directions would be taken for rows.
        assertEquals(
                "lstm0 lstm1 | Reshape",
                chains(between(2, 0, node("Reshape", List.of("y0", "shape"), "x1"))
                        .addInitializer(longs("shape", 0, -1, 2 * H))));
        // Batch-major, where the directions are beside the units already.
        assertEquals(
                CHAIN,
                chains(between(2, 1, node("Reshape", List.of("y0", "shape"), "x1"))
                        .addInitializer(longs("shape", 0, 0, -1))));
        // Units before directions.
        assertEquals(
                "lstm0 lstm1 | Transpose Reshape",
                chains(between(
                                2,
                                0,
                                node("Transpose", List.of("y0"), "t").addAttribute(integers("perm", 0, 2, 3, 1)),
                                node("Reshape", List.of("t", "shape"), "x1"))
                        .addInitializer(longs("shape", 0, 0, -1))));
    }

    @Test
    void followsThroughFlatten() {
        GraphProto.Builder graph = between(
                        2,
                        0,
                        node("Transpose", List.of("y0"), "t").addAttribute(integers("perm", 0, 2, 1, 3)),
                        node("Flatten", List.of("t"), "flat").addAttribute(attribute("axis", 2)),
                        node("Shape", List.of("x0"), "s"),
                        node("Slice", List.of("s", "zero", "two"), "outer"),
                        node("Concat", List.of("outer", "width"), "shape").addAttribute(attribute("axis", 0)),
                        node("Reshape", List.of("flat", "shape"), "x1"))
                .addInitializer(longs("zero", 0))
                .addInitializer(longs("width", 2 * H));
        assertEquals(CHAIN, chains(graph));
    }

    /** As older exporters do: the sizes of each axis are looked up in the shapes of x or of y. */
    @Test
    void followsComputedShapes() {
        for (String of : List.of("x0", "y0", "t")) {
            int batch = of.equals("y0") ? 2 : 1;
            GraphProto.Builder graph = between(
                            2,
                            0,
                            node("Transpose", List.of("y0"), "t").addAttribute(integers("perm", 0, 2, 1, 3)),
                            node("Shape", List.of(of), "s"),
                            node("Gather", List.of("s", "first"), "time"),
                            node("Gather", List.of("s", "batch_axis"), "batch"),
                            node("Unsqueeze", List.of("time", "zero"), "time1"),
                            node("Unsqueeze", List.of("batch", "zero"), "batch1"),
                            node("Concat", List.of("time1", "batch1", "rest"), "shape")
                                    .addAttribute(attribute("axis", 0)),
                            node("Reshape", List.of("t", "shape"), "x1"))
                    .addInitializer(longs("zero", 0))
                    .addInitializer(longs("rest", -1))
                    .addInitializer(longs("first", 0).toBuilder().clearDims())
                    .addInitializer(longs("batch_axis", batch).toBuilder().clearDims());
            assertEquals(CHAIN, chains(graph), of);
            // The same shape, needed elsewhere: y itself isn't computed in a chain.
            GraphProto.Builder used = graph.clone()
                    .addNode(node("Cast", List.of("batch"), "n").addAttribute(attribute("to", DataType.FLOAT_VALUE)))
                    .addOutput(Graphs.value("n"));
            assertEquals(
                    of.equals("x0") ? "lstm0+lstm1" : "lstm0 lstm1",
                    chains(used).split(" \\|")[0],
                    of);
        }
        // Time and batch exchanged.
        assertEquals(
                "lstm0 lstm1",
                chains(between(
                                        1,
                                        0,
                                        node("Shape", List.of("x0"), "s"),
                                        node("Gather", List.of("s", "order"), "shape"),
                                        node("Concat", List.of("shape", "rest"), "target")
                                                .addAttribute(attribute("axis", 0)),
                                        node("Reshape", List.of("y0", "target"), "x1"))
                                .addInitializer(longs("order", 1, 0))
                                .addInitializer(longs("rest", -1)))
                        .split(" \\|")[0]);
    }

    /**
     * Random nodes between two LSTMs: where a chain is seen, numbered elements in their place are at the same places
     * behind them.
     */
    @Test
    void whatIsFollowedIsRight() {
        long seed = TestEngines.seed(6000);
        int followed = 0;
        for (int round = 0; round < 4000; round++) {
            Random random = new Random(seed + round);
            String what = "-Dcellfuse.seed=" + (seed + round);
            int directions = 1 + random.nextInt(2), lower = random.nextInt(2), upper = random.nextInt(2);
            GraphProto.Builder nodes = GraphProto.newBuilder();
            String at = "y0";
            int rank = 4, count = 1 + random.nextInt(4);
            for (int k = 0; k < count; k++) {
                String out = k == count - 1 ? "x1" : "v" + k;
                rank = add(random, nodes, rank, directions, at, out);
                at = out;
            }
            GraphProto.Builder graph = stack(2, lower, directions, "y1").mergeFrom(nodes.buildPartial());
            graph.getNodeBuilder(1).clearAttribute();
            if (upper == 1) {
                graph.getNodeBuilder(1).addAttribute(attribute("layout", 1));
            }
            if (directions == 2) {
                graph.getNodeBuilder(1).addAttribute(attribute("direction", "bidirectional"));
            }
            if (chains(graph).equals(CHAIN)) {
                followed++;
                for (int[] size : new int[][] {{2, 3}, {5, 2}, {1, 4}, {3, 1}}) {
                    assertInPlace(what, nodes, size[0], size[1], directions, lower == 1, upper == 1);
                }
            }
        }
        assertTrue(followed > 20, "only " + followed + " chains, seed " + seed);
    }

    /** Adds a random node, and gives its output's rank. */
    private static int add(Random random, GraphProto.Builder graph, int rank, int directions, String in, String out) {
        switch (random.nextInt(5)) {
            case 0 -> {
                List<Long> order =
                        new ArrayList<>(LongStream.range(0, rank).boxed().toList());
                // Two exchanged: what exporters do.
                Collections.swap(order, random.nextInt(rank), random.nextInt(rank));
                graph.addNode(node("Transpose", List.of(in), out)
                        .addAttribute(integers(
                                "perm", order.stream().mapToLong(k -> k).toArray())));
                return rank;
            }
            case 1 -> {
                graph.addInitializer(longs(out + "axis", random.nextInt(rank)));
                graph.addNode(node("Squeeze", List.of(in, out + "axis"), out));
                return Math.max(1, rank - 1);
            }
            case 2 -> {
                graph.addInitializer(longs(out + "axis", random.nextInt(rank + 1)));
                graph.addNode(node("Unsqueeze", List.of(in, out + "axis"), out));
                return rank + 1;
            }
            case 3 -> {
                graph.addNode(node("Identity", List.of(in), out));
                return rank;
            }
            default -> {
                long features = directions * H;
                long[][] targets = {
                    {0, 0, -1},
                    {0, 0, features},
                    {-1, 0, features},
                    {0, -1, features},
                    {0, 0, directions, H},
                    {-1, features}
                };
                long[] target = targets[random.nextInt(targets.length)];
                graph.addInitializer(longs(out + "shape", target));
                graph.addNode(node("Reshape", List.of(in, out + "shape"), out));
                return target.length;
            }
        }
    }

    private static void assertInPlace(
            String what,
            GraphProto.Builder nodes,
            int steps,
            int rows,
            int directions,
            boolean isLower,
            boolean isUpper) {
        int count = steps * rows * directions * H;
        float[] numbers = new float[count], expected = new float[count];
        for (int t = 0; t < steps; t++) {
            for (int n = 0; n < rows; n++) {
                for (int d = 0; d < directions; d++) {
                    for (int h = 0; h < H; h++) {
                        int y = isLower
                                ? ((n * steps + t) * directions + d) * H + h
                                : ((t * directions + d) * rows + n) * H + h;
                        int x = ((isUpper ? n * steps + t : t * rows + n) * directions + d) * H + h;
                        numbers[y] = y;
                        expected[x] = y;
                    }
                }
            }
        }
        long[] shape = isLower ? new long[] {rows, steps, directions, H} : new long[] {steps, directions, rows, H};
        GraphProto.Builder graph = graph(List.of(), List.of("x1"))
                .mergeFrom(nodes.buildPartial())
                .addInitializer(Graphs.floats("y0", numbers, shape));
        TensorProto found = OnnxFile.of(NAME, Graphs.model(graph, 14))
                .foldedConstants()
                .find("x1")
                .orElseThrow(() -> new AssertionError(what));
        assertArrayEquals(expected, new OnnxTensors(NAME).floats(found), what);
    }

    @Test
    void layoutsMayDiffer() {
        GraphProto.Builder graph = stack(2, 0, "y1");
        graph.setNode(1, graph.getNode(1).toBuilder().addAttribute(attribute("layout", 1)))
                .addNode(node("Squeeze", List.of("y0", "one"), "a"))
                .addNode(node("Transpose", List.of("a"), "x1").addAttribute(integers("perm", 1, 0, 2)))
                .addInitializer(longs("one", 1));
        assertEquals(CHAIN, chains(graph));
        // Without the transposition rows would be steps.
        graph.getNodeBuilder(3).clearAttribute().addAttribute(integers("perm", 0, 1, 2));
        assertEquals("lstm0 lstm1 | Squeeze Transpose", chains(graph));
    }

    @Test
    void whatElseNeedsAnOutputBreaksAChain() {
        GraphProto.Builder graph = between(1, 0, node("Squeeze", List.of("y0", "one"), "x1"));
        assertEquals("lstm0 lstm1 | Squeeze", chains(graph.clone().addOutput(Graphs.value("y0"))));
        assertEquals("lstm0 lstm1 | Squeeze", chains(graph.clone().addOutput(Graphs.value("x1"))));
        assertEquals(
                "lstm0 lstm1 | Squeeze Relu",
                chains(graph.clone().addNode(node("Relu", List.of("x1"), "r")).addOutput(Graphs.value("r"))));
        // Within a branch.
        assertEquals(
                "lstm0 lstm1 | Squeeze If",
                chains(graph.clone()
                        .addInput(Graphs.value("b", DataType.BOOL_VALUE))
                        .addNode(node("If", List.of("b"), "r")
                                .addAttribute(attribute(
                                        "then_branch",
                                        graph(List.of(), List.of("z")).addNode(node("Neg", List.of("x1"), "z"))))
                                .addAttribute(attribute(
                                        "else_branch",
                                        graph(List.of(), List.of("z")).addNode(node("Abs", List.of("x0"), "z")))))
                        .addOutput(Graphs.value("r"))));
        // Nobody needs the result: not counted. The final states are other outputs.
        assertEquals(CHAIN, chains(graph.clone().addNode(node("Relu", List.of("x1"), "r"))));
        assertEquals(CHAIN, chains(graph.clone().addOutput(Graphs.value("h0")).addOutput(Graphs.value("c1"))));
        // As its own initial state.
        graph.setNode(1, graph.getNode(1).toBuilder().addAllInput(List.of("", "", "x1")));
        assertEquals("lstm0 lstm1 | Squeeze", chains(graph));
    }

    @Test
    void twoReadersBreakAChain() {
        GraphProto.Builder graph = stack(3, 0, "y1", "y2")
                .addNode(node("Squeeze", List.of("y0", "one"), "x1"))
                .addNode(node("Squeeze", List.of("y0", "one"), "x2"))
                .addInitializer(longs("one", 1));
        assertEquals("lstm0 lstm1 lstm2 | Squeeze Squeeze", chains(graph));
        // One of them for nothing.
        assertEquals("lstm0 lstm1 | Squeeze", chains(graph.clone().removeOutput(1)));
    }

    @Test
    void lengthsMustBeTheSame() {
        GraphProto.Builder graph = between(1, 0, node("Squeeze", List.of("y0", "one"), "x1"));
        graph.addInput(Graphs.value("lens", DataType.INT32_VALUE))
                .addInput(Graphs.value("other", DataType.INT32_VALUE));
        for (int k = 0; k < 2; k++) {
            graph.setNode(k, graph.getNode(k).toBuilder().addAllInput(List.of("", "lens")));
        }
        assertEquals(CHAIN, chains(graph));
        graph.getNodeBuilder(1).setInput(4, "other");
        assertEquals("lstm0 lstm1 | Squeeze", chains(graph));
        graph.getNodeBuilder(1).setInput(4, "");
        assertEquals("lstm0 lstm1 | Squeeze", chains(graph));
    }

    @Test
    void valuesMustBeTheSame() {
        assertEquals(
                "lstm0 lstm1 | Squeeze Cast Cast",
                chains(between(
                        1,
                        0,
                        node("Squeeze", List.of("y0", "one"), "a"),
                        node("Cast", List.of("a"), "b").addAttribute(attribute("to", DataType.FLOAT16_VALUE)),
                        node("Cast", List.of("b"), "x1").addAttribute(attribute("to", DataType.FLOAT_VALUE)))));
        assertEquals(
                "lstm0 lstm1 | Squeeze Relu",
                chains(between(1, 0, node("Squeeze", List.of("y0", "one"), "a"), node("Relu", List.of("a"), "x1"))));
        // Dropout that drops, by its attribute or its input.
        NodeProto.Builder dropout = node("Dropout", List.of("a"), "x1");
        NodeProto.Builder squeeze = node("Squeeze", List.of("y0"), "a").addAttribute(integers("axes", 1));
        assertEquals("lstm0 lstm1 | Squeeze Dropout", chains(between(1, 0, squeeze, dropout), 6));
        assertEquals(CHAIN, chains(between(1, 0, squeeze, dropout.clone().addAttribute(attribute("is_test", 1))), 6));
        assertEquals(CHAIN, chains(between(1, 0, squeeze, dropout), 7));
        dropout.addAllInput(List.of("", "training"));
        GraphProto.Builder graph = between(1, 0, squeeze, dropout);
        assertEquals(
                CHAIN,
                chains(
                        graph.clone()
                                .addInitializer(Graphs.tensor("training", DataType.BOOL_VALUE)
                                        .addInt32Data(0)),
                        12));
        assertEquals(
                "lstm0 lstm1 | Squeeze Dropout",
                chains(
                        graph.clone()
                                .addInitializer(Graphs.tensor("training", DataType.BOOL_VALUE)
                                        .addInt32Data(1)),
                        12));
    }

    /** An axis of one element isn't known to be one. */
    @Test
    void squeezingWhatMayBeTheBatchBreaksAChain() {
        assertEquals("lstm0 lstm1 | Squeeze", chains(between(1, 0, node("Squeeze", List.of("y0"), "x1"))));
        assertEquals("lstm0 lstm1 | Squeeze", chains(between(1, 0, node("Squeeze", List.of("y0", "two"), "x1"))));
    }

    @Test
    void lstmsWithComputedWeightsAreLeftAlone() {
        GraphProto.Builder graph = between(1, 0, node("Squeeze", List.of("y0", "one"), "x1"))
                .addNode(node("Sin", List.of("x0"), "computed"));
        graph.getNodeBuilder(1).setInput(1, "computed");
        assertEquals("lstm0 | LSTM Sin Squeeze", sorted(chains(graph)));
    }

    private static String sorted(String chains) {
        String[] parts = chains.split(" \\| ");
        return parts[0] + " | " + List.of(parts[1].split(" ")).stream().sorted().collect(Collectors.joining(" "));
    }

    @Test
    void refusesAnInputOfAnotherSize() {
        GraphProto.Builder graph = between(1, 0, node("Squeeze", List.of("y0", "one"), "x1"));
        graph.getInitializerBuilder(2)
                .setDims(2, I)
                .setRawData(graph.getInitializer(0).getRawData());
        assertRefused(() -> chains(graph), "node 'lstm0' (LSTM)", "layer 1, input size: expected 4, found 3");
    }

    /** Two separate stacks over the same x, forward and reverse. */
    @Test
    void stacksSideBySide() {
        GraphProto.Builder graph = stack(4, 0, "y1", "y3")
                .addNode(node("Squeeze", List.of("y0", "one"), "x1"))
                .addNode(node("Squeeze", List.of("y2", "one"), "x3"))
                .addInitializer(longs("one", 1));
        graph.getInitializerBuilder(4)
                .setDims(2, I)
                .setRawData(graph.getInitializer(0).getRawData());
        graph.getNodeBuilder(2).setInput(0, "x0").addAttribute(attribute("direction", "reverse"));
        assertEquals("lstm0+lstm1 lstm2+lstm3 | ", chains(graph));
    }

    @Test
    void longGraphsAreNoTrouble() {
        GraphProto.Builder graph = stack(2, 0, "y1");
        String at = "y0";
        for (int k = 0; k < 20_000; k++) {
            graph.addNode(node("Identity", List.of(at), "i" + k));
            at = "i" + k;
        }
        graph.addNode(node("Squeeze", List.of(at, "one"), "x1")).addInitializer(longs("one", 1));
        assertTrue(chains(graph).startsWith("lstm0 lstm1 |"));
    }
}

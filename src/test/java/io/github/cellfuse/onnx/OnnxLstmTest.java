package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.node;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.Bits;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.OnnxLstm.Input;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are nothing but LSTMs: PyTorch's, and those that are written here. */
class OnnxLstmTest {
    /** PyTorch computes in float32: off by a few 1e-7, where a wrong gate is off by 1e-2. */
    private static final double TOLERANCE = 1e-5;

    private static final int ROUNDS = 60;

    @TempDir
    Path folder;

    static Stream<String> stacks() {
        return Cases.names().stream().filter(name -> name.startsWith("lstm") || name.startsWith("packed"));
    }

    @ParameterizedTest
    @MethodSource("stacks")
    void whatPyTorchExportsGivesWhatPyTorchAnswers(String name) {
        LstmModel model = OnnxLstm.load(Cases.file(name + ".onnx"));
        boolean isBatchFirst = name.contains("batch_first")
                || name.equals("lstm_static")
                || name.equals("lstm_states_bidirectional_layers_2");
        Cases.Array x = Cases.array(name, "x"), y = Cases.array(name, "y");
        Cases.Array h = Cases.array(name, "h_n"), c = Cases.array(name, "c_n");
        double[][][] sequence =
                OperatorOracle.array(x.values(), x.dimension(0), x.dimension(1), x.dimension(2), isBatchFirst);
        int rows = sequence[0].length;
        int[] lengths = null;
        if (Cases.has(name, "lengths")) {
            float[] given = Cases.array(name, "lengths").values();
            lengths = new int[rows];
            for (int row = 0; row < rows; row++) {
                lengths[row] = (int) given[row];
            }
        }
        int below = 0;
        for (LstmLayer layer : model.layers()) {
            int d = layer.directionCount();
            OperatorOracle oracle = new OperatorOracle(
                    layer, sequence, lengths, states(name, "h0", below, d), states(name, "c0", below, d));
            for (int k = 0; k < d; k++) {
                assertClose(name + " h_n", slice(h, below + k), oracle.lastH[k]);
                assertClose(name + " c_n", slice(c, below + k), oracle.lastC[k]);
            }
            below += d;
            sequence = oracle.y;
        }
        double[][][] expected =
                OperatorOracle.array(y.values(), y.dimension(0), y.dimension(1), y.dimension(2), isBatchFirst);
        assertEquals(expected.length, sequence.length);
        for (int t = 0; t < expected.length; t++) {
            assertClose(name + " y", expected[t], sequence[t]);
        }
    }

    private static double[][][] states(String name, String array, int first, int count) {
        if (!Cases.has(name, array)) {
            return null;
        }
        Cases.Array all = Cases.array(name, array);
        double[][][] states = new double[count][][];
        for (int k = 0; k < count; k++) {
            states[k] = slice(all, first + k);
        }
        return states;
    }

    private static double[][] slice(Cases.Array array, int k) {
        return OperatorOracle.array(array.values(), array.dimension(0), array.dimension(1), array.dimension(2), false)[
                k];
    }

    private static void assertClose(String what, double[][] expected, double[][] found) {
        assertEquals(expected.length, found.length, what);
        for (int row = 0; row < expected.length; row++) {
            assertEquals(expected[row].length, found[row].length, what);
            for (int k = 0; k < expected[row].length; k++) {
                assertEquals(expected[row][k], found[row][k], TOLERANCE, what + " [" + row + "][" + k + "]");
            }
        }
    }

    @Test
    void comesBackWithTheSameBits() {
        long seed = TestEngines.seed(12000);
        for (int round = 0; round < ROUNDS; round++) {
            String what = "-Dcellfuse.seed=" + (seed + round);
            Random random = new Random(seed + round);
            LstmModel model = model(random);
            Path path = folder.resolve(round + ".onnx");
            Set<Input> inputs = EnumSet.noneOf(Input.class);
            for (Input input : Input.values()) {
                if (random.nextBoolean()) {
                    inputs.add(input);
                }
            }
            OnnxLstm.save(model, path, false, inputs);
            assertSame(what, model, OnnxLstm.load(path));
        }
    }

    /** Layers of any direction, size and equations. */
    static LstmModel model(Random random) {
        List<LstmLayer> layers = new ArrayList<>();
        int width = 1 + random.nextInt(5), uniform = random.nextBoolean() ? 1 + random.nextInt(5) : 0;
        Direction all = Direction.values()[random.nextInt(3)];
        for (int count = 1 + random.nextInt(3); count > 0; count--) {
            int hidden = uniform > 0 ? uniform : 1 + random.nextInt(5);
            Direction direction = uniform > 0 ? all : Direction.values()[random.nextInt(3)];
            boolean hasPeepholes = random.nextBoolean(), isCoupled = random.nextInt(4) == 0;
            float clip = random.nextBoolean() ? CellEquations.NO_CLIP : 0.1f + random.nextFloat();
            List<LstmWeights> weights = new ArrayList<>();
            for (int d = 0; d < direction.count(); d++) {
                CellEquations equations = random.nextBoolean()
                        ? CellEquations.ORDINARY.withClip(clip).withCoupled(isCoupled)
                        : new CellEquations(
                                activation(random), activation(random), activation(random), clip, isCoupled);
                LstmWeights.Builder builder = LstmWeights.builder(width, hidden)
                        .input(RandomLstm.values(random, 4 * hidden * width, 1))
                        .recurrent(RandomLstm.values(random, 4 * hidden * hidden, 1))
                        .equations(equations);
                bias(random, hidden).ifPresent(builder::inputBias);
                bias(random, hidden).ifPresent(builder::recurrentBias);
                if (hasPeepholes) {
                    builder.peepholes(RandomLstm.values(random, 3 * hidden, 1));
                }
                weights.add(builder.build());
            }
            layers.add(new LstmLayer(direction, weights));
            width = direction.count() * hidden;
        }
        return new LstmModel(layers);
    }

    /** None, or one with zeros of both signs. */
    private static Optional<float[]> bias(Random random, int hidden) {
        if (random.nextBoolean()) {
            return Optional.empty();
        }
        float[] bias = RandomLstm.values(random, 4 * hidden, 1);
        bias[0] = -0f;
        bias[1] = 0f;
        return Optional.of(bias);
    }

    private static Activation activation(Random random) {
        ActivationFunction[] all = ActivationFunction.values();
        return new Activation(all[random.nextInt(all.length)], random.nextFloat(), random.nextFloat());
    }

    private static void assertSame(String what, LstmModel expected, LstmModel found) {
        assertEquals(expected.layerCount(), found.layerCount(), what);
        for (int k = 0; k < expected.layerCount(); k++) {
            assertEquals(expected.layer(k).direction(), found.layer(k).direction(), what);
            for (int d = 0; d < expected.layer(k).directionCount(); d++) {
                LstmWeights e = expected.weights(k, d), f = found.weights(k, d);
                assertEquals(e.equations(), f.equations(), what);
                Bits.assertSame(what, e.input(), f.input());
                Bits.assertSame(what, e.recurrent(), f.recurrent());
                Bits.assertSame(what, e.bias(), f.bias());
                if (e.inputBias().isPresent() && e.recurrentBias().isPresent()) {
                    Bits.assertSame(what, e.inputBias().get(), f.inputBias().orElseThrow());
                    Bits.assertSame(
                            what, e.recurrentBias().get(), f.recurrentBias().orElseThrow());
                }
                assertEquals(e.hasPeepholes(), f.hasPeepholes(), what);
                if (e.hasPeepholes()) {
                    Bits.assertSame(
                            what, e.peepholes().orElseThrow(), f.peepholes().orElseThrow());
                }
            }
        }
    }

    @Test
    void aWrittenGraphHasTheNamesThatItShallHave() {
        Random random = new Random(1);
        LstmModel model = RandomLstm.model(random, Direction.BIDIRECTIONAL, 2, 3, 4, false, true);
        Path path = folder.resolve("m.onnx");
        OnnxLstm.save(model, path, false);
        assertEquals("x [batch,time,3] -> y [batch,time,8] h_n [4,batch,4] c_n [4,batch,4]", signature(path));
        OnnxLstm.save(model, path, true, Set.of(Input.LENGTHS, Input.STATES));
        assertEquals(
                "x [batch,time,3] lengths [batch] h0 [4,batch,4] c0 [4,batch,4] -> "
                        + "y [batch,time,8] h_n [4,batch,4] c_n [4,batch,4]",
                signature(path));
        LstmModel mixed = new LstmModel(List.of(
                model.layer(0),
                RandomLstm.model(random, Direction.FORWARD, 1, 8, 5, false, true)
                        .layer(0)));
        OnnxLstm.save(mixed, path, true, Set.of(Input.STATES));
        assertEquals(
                "x [batch,time,3] h0_l0 [2,batch,4] h0_l1 [1,batch,5] c0_l0 [2,batch,4] c0_l1 [1,batch,5] -> "
                        + "y [batch,time,5] h_n_l0 [2,batch,4] h_n_l1 [1,batch,5] c_n_l0 [2,batch,4] c_n_l1"
                        + " [1,batch,5]",
                signature(path));
        OnnxLstm.save(model.only(0), path, true);
        assertEquals("x [batch,time,3] -> y [batch,time,8] h_n [2,batch,4] c_n [2,batch,4]", signature(path));
    }

    private static String signature(Path path) {
        OnnxFile file = OnnxFile.open(path);
        assertEquals(14, file.opset());
        return values(file.graph().getInputList()) + " -> "
                + values(file.graph().getOutputList());
    }

    private static String values(List<Onnx.ValueInfoProto> values) {
        return values.stream()
                .map(value -> value.getName() + " "
                        + value.getType().getTensorType().getShape().getDimList().stream()
                                .map(d -> d.hasDimParam() ? d.getDimParam() : Long.toString(d.getDimValue()))
                                .collect(Collectors.joining(",", "[", "]")))
                .collect(Collectors.joining(" "));
    }

    @Test
    void refusesWhatOnnxCannotSay() {
        Random random = new Random(2);
        Path path = folder.resolve("m.onnx");
        LstmModel projected = RandomLstm.model(random, Direction.FORWARD, 2, 3, 4, true, true);
        assertRefused(() -> OnnxLstm.save(projected, path, false), path, "layer 0", "projection", "4 to 2");
        LstmModel both = RandomLstm.model(random, Direction.BIDIRECTIONAL, 1, 3, 4, false, true);
        LstmModel clipped = new LstmModel(List.of(new LstmLayer(
                Direction.BIDIRECTIONAL,
                List.of(both.weights(0, 0), both.weights(0, 1).withEquations(CellEquations.ORDINARY.withClip(1))))));
        assertRefused(() -> OnnxLstm.save(clipped, path, false), path, "layer 0", "same clip");
        assertFalse(Files.exists(path));
    }

    @Test
    void overwritesOnlyWhenAsked() throws IOException {
        LstmModel model = RandomLstm.model(new Random(3), Direction.FORWARD, 1, 3, 4, false, true);
        Path path = Files.writeString(folder.resolve("m.onnx"), "mine");
        assertRefused(() -> OnnxLstm.save(model, path, false), path, "exists already");
        assertEquals("mine", Files.readString(path));
        OnnxLstm.save(model, path, true);
        assertSame("", model, OnnxLstm.load(path));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tagger", "tagger_unfolded", "tagger_packed", "classifier", "streaming"})
    void refusesMoreThanLstms(String name) {
        Object part = switch (name) {
            case "classifier" -> "(Relu)";
            case "streaming" -> "(Relu)";
            default -> "(Gather)";
        };
        assertRefused(
                () -> OnnxLstm.load(Cases.file(name + ".onnx")), name + ".onnx", "nothing else, found node", part);
    }

    @Test
    void refusesOtherGraphs() throws IOException {
        Path path = folder.resolve("m.onnx");
        write(path, graph(List.of("x"), List.of("y")).addNode(node("Relu", List.of("x"), "y")));
        assertRefused(() -> OnnxLstm.load(path), path, "found no LSTM but node 0 (Relu)");
        LstmModel model = RandomLstm.model(new Random(3), Direction.FORWARD, 2, 3, 4, false, true);
        OnnxLstm.save(model, path, true);
        GraphProto.Builder good = OnnxFile.open(path).graph().toBuilder();
        write(path, good.clone().addOutput(Graphs.value("Y_l0")));
        assertRefused(
                () -> OnnxLstm.load(path), "found 2 stacks", "ends at node 'lstm_l0'", "begins at node 'lstm_l1'");
        write(path, good.clone().addOutput(Graphs.value("x")));
        assertRefused(() -> OnnxLstm.load(path), "output 'x', which comes from 'x'");
        write(path, good.clone().addNode(node("Exp", List.of("h_n"), "e")).addOutput(Graphs.value("e")));
        assertRefused(() -> OnnxLstm.load(path), "(Exp) as well");
        // Beside, and needed by nobody.
        write(path, good.clone().addNode(node("Exp", List.of("h_n"), "e")));
        assertSame("", model, OnnxLstm.load(path));
        int lstm = 1;
        assertEquals("LSTM", good.getNode(lstm).getOpType());
        GraphProto.Builder states = good.clone().addInitializer(Graphs.floats("s", new float[] {1, 0, 0, 0}, 1, 1, 4));
        states.getNodeBuilder(lstm).addInput("").addInput("s");
        write(path, states);
        assertRefused(() -> OnnxLstm.load(path), "the constant 's' as an input");
        GraphProto.Builder weights = good.clone().addNode(0, node("Exp", List.of("W_l0"), "other"));
        weights.getNodeBuilder(lstm + 1).setInput(1, "other");
        write(path, weights);
        assertRefused(() -> OnnxLstm.load(path), "node 'lstm_l0' (LSTM)", "found computed weights 'other'");
    }

    private static void write(Path path, GraphProto.Builder graph) throws IOException {
        Files.write(path, Graphs.model(graph, 14).toByteArray());
    }

    /** Constants that double in size with every node. */
    @Test
    void refusesConstantsThatGrow() throws IOException {
        Path path = folder.resolve("m.onnx");
        GraphProto.Builder graph = graph(List.of("x"), List.of("y"))
                .addInitializer(Graphs.floats("w0", new float[1000], 1000))
                .addInitializer(Graphs.floats("R", new float[4], 1, 4, 1));
        for (int k = 0; k < 40; k++) {
            graph.addNode(
                    node("Concat", List.of("w" + k, "w" + k), "w" + (k + 1)).addAttribute(Graphs.attribute("axis", 0)));
        }
        write(path, graph.addNode(node("LSTM", List.of("x", "w40", "R"), "y")));
        assertRefused(() -> OnnxLstm.load(path), path, "(Concat)", "expected folded constants of at most");
    }
}

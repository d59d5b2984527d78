package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.floats;
import static io.github.cellfuse.onnx.Graphs.numbers;
import static io.github.cellfuse.onnx.Graphs.texts;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import io.github.cellfuse.spi.HalfPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LstmNodeTest {
    private static final Path NAME = Path.of("model.onnx");
    private static final int ROUNDS = 300;

    /** ONNX's order of the gates and of the peepholes, as positions in i, f, g, o and in i, f, o. */
    private static final int[] IOFC = {0, 3, 1, 2}, IOF = {0, 2, 1};

    private static final int I = 3, H = 2;

    /** A node with weights of its own. */
    private final Map<String, TensorProto> constants = new HashMap<>();

    private NodeProto.Builder node(int directions) {
        Random random = new Random(5);
        constants.put("W", floats("W", RandomLstm.values(random, directions * 4 * H * I, 1), directions, 4 * H, I));
        constants.put("R", floats("R", RandomLstm.values(random, directions * 4 * H * H, 1), directions, 4 * H, H));
        constants.put("B", floats("B", RandomLstm.values(random, directions * 8 * H, 1), directions, 8 * H));
        constants.put("P", floats("P", RandomLstm.values(random, directions * 3 * H, 1), directions, 3 * H));
        NodeProto.Builder node =
                Graphs.node("LSTM", List.of("x", "W", "R"), "y").setName("enc");
        return directions == 2 ? node.addAttribute(attribute("direction", "bidirectional")) : node;
    }

    private LstmNode read(NodeProto.Builder node, long opset) {
        return LstmNode.of(
                OnnxNode.of(NAME, 0, node.build()),
                opset,
                name -> Optional.ofNullable(constants.get(name)),
                new OnnxTensors(NAME));
    }

    private LstmNode read(NodeProto.Builder node) {
        return read(node, 14);
    }

    private void refused(NodeProto.Builder node, Object... parts) {
        refusedIn(14, node, parts);
    }

    private void refusedIn(long opset, NodeProto.Builder node, Object... parts) {
        assertRefused(() -> read(node, opset), parts);
        assertRefused(() -> read(node, opset), NAME, "node 'enc' (LSTM)");
    }

    @Test
    void readsRandomNodes() {
        long seed = TestEngines.seed(10000);
        for (int round = 0; round < ROUNDS; round++) {
            readsARandomNode(new Random(seed + round), "-Dcellfuse.seed=" + (seed + round));
        }
    }

    /** Every value in its place: gates and directions are told apart by the value itself. */
    private void readsARandomNode(Random random, String what) {
        int inputs = 1 + random.nextInt(4), hidden = 1 + random.nextInt(4);
        Direction direction = Direction.values()[random.nextInt(3)];
        int directions = direction.count();
        boolean hasBias = random.nextBoolean(), hasPeepholes = random.nextBoolean();
        constants.clear();
        NodeProto.Builder node = NodeProto.newBuilder().setOpType("LSTM").setName("enc");
        boolean[] given = new boolean[8];
        String[] names = {"x", "W", "R", "B", "lens", "h0", "c0", "P"};
        for (int k = 0; k < names.length; k++) {
            given[k] = k < 3 || (k == 3 ? hasBias : k == 7 ? hasPeepholes : random.nextBoolean());
            node.addInput(given[k] ? names[k] : "");
        }
        boolean[] wanted = {random.nextBoolean(), random.nextBoolean(), random.nextBoolean()};
        for (int k = 0; k < wanted.length; k++) {
            node.addOutput(wanted[k] ? "out" + k : "");
        }
        float[] w = new float[directions * 4 * hidden * inputs], r = new float[directions * 4 * hidden * hidden];
        float[] b = new float[directions * 8 * hidden], p = new float[directions * 3 * hidden];
        for (int d = 0; d < directions; d++) {
            for (int gate = 0; gate < 4; gate++) {
                for (int u = 0; u < hidden; u++) {
                    int row = (d * 4 + gate) * hidden + u;
                    for (int k = 0; k < inputs; k++) {
                        w[row * inputs + k] = value(d, IOFC[gate], u, k);
                    }
                    for (int k = 0; k < hidden; k++) {
                        r[row * hidden + k] = value(d, IOFC[gate], u, k + 10);
                    }
                    b[(d * 8 + gate) * hidden + u] = value(d, IOFC[gate], u, 20);
                    b[(d * 8 + 4 + gate) * hidden + u] = value(d, IOFC[gate], u, 21);
                    if (gate < 3) {
                        p[(d * 3 + gate) * hidden + u] = value(d, IOF[gate], u, 30);
                    }
                }
            }
        }
        constants.put("W", floats("W", w, directions, 4L * hidden, inputs));
        constants.put("R", floats("R", r, directions, 4L * hidden, hidden));
        constants.put("B", floats("B", b, directions, 8L * hidden));
        constants.put("P", floats("P", p, directions, 3L * hidden));

        if (direction != Direction.FORWARD || random.nextBoolean()) {
            node.addAttribute(attribute("direction", direction.name().toLowerCase(Locale.ROOT)));
        }
        if (random.nextBoolean()) {
            node.addAttribute(attribute("hidden_size", hidden));
        }
        float clip = random.nextBoolean() ? 0.1f + random.nextFloat() : CellEquations.NO_CLIP;
        if (clip != CellEquations.NO_CLIP) {
            node.addAttribute(attribute("clip", clip));
        }
        boolean isCoupled = random.nextBoolean();
        if (isCoupled || random.nextBoolean()) {
            node.addAttribute(attribute("input_forget", isCoupled ? 1 : 0));
        }
        long opset = new long[] {1, 7, 11, 14, 17, 22, 24}[random.nextInt(7)];
        boolean isBatchMajor = opset >= 14 && random.nextBoolean();
        if (isBatchMajor) {
            node.addAttribute(attribute("layout", 1));
        }
        if (opset < 7 && random.nextBoolean()) {
            node.addAttribute(attribute("output_sequence", random.nextInt(2)));
        }
        List<Activation> functions = activations(random, node, directions);

        LstmNode found = read(node, opset);
        assertEquals(direction, found.layer().direction(), what);
        assertEquals(isBatchMajor ? Layout.BATCH_MAJOR : Layout.TIME_MAJOR, found.layout(), what);
        assertEquals("x", found.x());
        assertEquals(given[4] ? Optional.of("lens") : Optional.empty(), found.sequenceLens(), what);
        assertEquals(given[5] ? Optional.of("h0") : Optional.empty(), found.initialH(), what);
        assertEquals(given[6] ? Optional.of("c0") : Optional.empty(), found.initialC(), what);
        assertEquals(wanted[0] ? Optional.of("out0") : Optional.empty(), found.y(), what);
        assertEquals(wanted[1] ? Optional.of("out1") : Optional.empty(), found.yH(), what);
        assertEquals(wanted[2] ? Optional.of("out2") : Optional.empty(), found.yC(), what);
        for (int d = 0; d < directions; d++) {
            LstmWeights weights = found.layer().weights().get(d);
            for (int gate = 0; gate < 4; gate++) {
                for (int u = 0; u < hidden; u++) {
                    int row = gate * hidden + u;
                    for (int k = 0; k < inputs; k++) {
                        assertEquals(value(d, gate, u, k), weights.input()[row * inputs + k], what);
                    }
                    for (int k = 0; k < hidden; k++) {
                        assertEquals(value(d, gate, u, k + 10), weights.recurrent()[row * hidden + k], what);
                    }
                    if (hasBias) {
                        assertEquals(value(d, gate, u, 20), weights.inputBias().orElseThrow()[row], what);
                        assertEquals(
                                value(d, gate, u, 21), weights.recurrentBias().orElseThrow()[row], what);
                    } else {
                        assertTrue(weights.inputBias().isEmpty());
                        assertTrue(weights.recurrentBias().isEmpty());
                    }
                    if (gate < 3 && hasPeepholes) {
                        assertEquals(value(d, gate, u, 30), weights.peepholes().orElseThrow()[row], what);
                    }
                }
            }
            assertEquals(hasPeepholes, weights.hasPeepholes(), what);
            assertEquals(
                    new CellEquations(
                            functions.get(3 * d), functions.get(3 * d + 1), functions.get(3 * d + 2), clip, isCoupled),
                    weights.equations(),
                    what);
        }
    }

    private static float value(int direction, int gate, int unit, int which) {
        return direction * 10_000 + gate * 1000 + unit * 100 + which;
    }

    /** Random functions, named in any case, with parameters for the first of those that have some. */
    private static List<Activation> activations(Random random, NodeProto.Builder node, int directions) {
        List<Activation> functions = new ArrayList<>();
        if (random.nextInt(4) == 0) {
            for (int d = 0; d < directions; d++) {
                functions.addAll(List.of(Activation.SIGMOID, Activation.TANH, Activation.TANH));
            }
            return functions;
        }
        List<String> names = new ArrayList<>();
        List<Float> alphas = new ArrayList<>(), betas = new ArrayList<>();
        int givenAlphas = random.nextInt(7), givenBetas = random.nextInt(7);
        for (int k = 0; k < 3 * directions; k++) {
            ActivationFunction[] all = ActivationFunction.values();
            ActivationFunction function = all[random.nextInt(all.length)];
            String name = function.onnxName();
            names.add(
                    switch (random.nextInt(3)) {
                        case 0 -> name;
                        case 1 -> name.toLowerCase(Locale.ROOT);
                        default -> name.toUpperCase(Locale.ROOT);
                    });
            // Without a default in the specification: 0, as in ONNX Runtime.
            boolean isBare = function == ActivationFunction.AFFINE || function == ActivationFunction.SCALED_TANH;
            float alpha = isBare ? 0 : function.defaultAlpha(), beta = isBare ? 0 : function.defaultBeta();
            if (function.hasAlpha() && alphas.size() < givenAlphas) {
                alpha = random.nextFloat();
                alphas.add(alpha);
            }
            if (function.hasBeta() && betas.size() < givenBetas) {
                beta = random.nextFloat();
                betas.add(beta);
            }
            functions.add(new Activation(function, alpha, beta));
        }
        node.addAttribute(texts("activations", names.toArray(String[]::new)));
        if (!alphas.isEmpty()) {
            node.addAttribute(numbers("activation_alpha", alphas.toArray(Float[]::new)));
        }
        if (!betas.isEmpty()) {
            node.addAttribute(numbers("activation_beta", betas.toArray(Float[]::new)));
        }
        return functions;
    }

    @Test
    void parametersServeTheFunctionsThatHaveThem() {
        CellEquations found = equations(read(node(1).addAttribute(texts("activations", "Sigmoid", "Elu", "HardSigmoid"))
                .addAttribute(numbers("activation_alpha", 0.7f, 0.3f))
                .addAttribute(numbers("activation_beta", 0.4f))));
        assertEquals(Activation.SIGMOID, found.gate());
        assertEquals(new Activation(ActivationFunction.ELU, 0.7f, 0), found.candidate());
        assertEquals(new Activation(ActivationFunction.HARD_SIGMOID, 0.3f, 0.4f), found.hidden());
        // Where no function has the parameter the values are somebody else's defaults.
        assertEquals(
                CellEquations.ORDINARY, equations(read(node(1).addAttribute(numbers("activation_alpha", 0f, 0f, 0f)))));
    }

    @Test
    void parametersThatAreMissingHaveDefaults() {
        CellEquations found = equations(
                read(node(1).addAttribute(texts("activations", "ThresholdedRelu", "LeakyRelu", "HardSigmoid"))));
        assertEquals(new Activation(ActivationFunction.THRESHOLDED_RELU, 1, 0), found.gate());
        assertEquals(new Activation(ActivationFunction.LEAKY_RELU, 0.01f, 0), found.candidate());
        assertEquals(new Activation(ActivationFunction.HARD_SIGMOID, 0.2f, 0.5f), found.hidden());
        found = equations(read(node(1).addAttribute(texts("activations", "affine", "scaledtanh", "elu"))));
        assertEquals(new Activation(ActivationFunction.AFFINE, 0, 0), found.gate());
        assertEquals(new Activation(ActivationFunction.SCALED_TANH, 0, 0), found.candidate());
        assertEquals(new Activation(ActivationFunction.ELU, 1, 0), found.hidden());
    }

    private static CellEquations equations(LstmNode node) {
        return node.layer().weights().get(0).equations();
    }

    @Test
    void weightsOfOtherTypesBecomeFloat32() {
        NodeProto.Builder node = node(1);
        float[] w = new OnnxTensors(NAME).floats(constants.get("W"));
        float[] expected = read(node).layer().weights().get(0).input();
        ByteBuffer doubles = ByteBuffer.allocate(w.length * 8).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer halves = ByteBuffer.allocate(w.length * 2).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : w) {
            doubles.putDouble(value);
            halves.putShort(HalfPrecision.floatToFloat16(value));
        }
        TensorProto r = constants.get("R");
        constants.put(
                "W",
                Graphs.tensor("W", DataType.DOUBLE_VALUE, 1, 4 * H, I)
                        .setRawData(ByteString.copyFrom(doubles.flip()))
                        .build());
        refused(node, "weights of one type", "DOUBLE and FLOAT");
        constants.put(
                "R",
                Graphs.tensor("R", DataType.DOUBLE_VALUE, 1, 4 * H, H)
                        .setRawData(ByteString.copyFrom(new byte[4 * H * H * 8]))
                        .build());
        assertArrayEquals(expected, read(node).layer().weights().get(0).input());
        assertEquals(DataType.DOUBLE_VALUE, read(node).elementType());
        constants.put(
                "W",
                Graphs.tensor("W", DataType.FLOAT16_VALUE, 1, 4 * H, I)
                        .setRawData(ByteString.copyFrom(halves.flip()))
                        .build());
        constants.put(
                "R",
                Graphs.tensor("R", DataType.FLOAT16_VALUE, 1, 4 * H, H)
                        .setRawData(ByteString.copyFrom(new byte[4 * H * H * 2]))
                        .build());
        float[] found = read(node).layer().weights().get(0).input();
        for (int k = 0; k < expected.length; k++) {
            assertEquals(HalfPrecision.float16ToFloat(HalfPrecision.floatToFloat16(expected[k])), found[k]);
        }
        constants.put(
                "W",
                Graphs.longs("W", 1).toBuilder()
                        .clearDims()
                        .addDims(1)
                        .addDims(4 * H)
                        .addDims(I)
                        .build());
        constants.put("R", r);
        refused(node, "expected weights of FLOAT", "found INT64");
    }

    @Test
    void refusesWrongShapes() {
        NodeProto.Builder node = node(1);
        TensorProto w = constants.get("W"), r = constants.get("R");
        constants.put("R", floats("R", new float[16], 16));
        refused(node, "R [D,4H,H]", "three dimensions", "[16]");
        constants.put("R", floats("R", new float[12], 1, 6, 2));
        refused(node, "R [D,4H,H]", "expected shape [1, 8, 2]", "found [1, 6, 2]");
        constants.put("R", floats("R", new float[0], 1, 0, 0));
        refused(node, "R [D,4H,H]", "[1, 0, 0]");
        constants.put("R", r);
        constants.put("W", floats("W", new float[24], 8, 3));
        refused(node, "W [D,4H,I]", "[8, 3]");
        constants.put("W", floats("W", new float[36], 1, 12, 3));
        refused(node, "W [D,4H,I]", "expected shape [1, 8, 3]", "found [1, 12, 3]");
        constants.put("W", w);
        refused(node.clone().addAttribute(attribute("hidden_size", 3)), "hidden_size", "expected 2", "found 3");
        refused(node.clone().addAttribute(attribute("hidden_size", 0)), "hidden_size", "1 or more");
        constants.put("B", floats("B", new float[8], 1, 8));
        refused(node.clone().addInput("B"), "B [D,8H]", "expected shape [1, 16]", "found [1, 8]");
        constants.put("P", floats("P", new float[8], 1, 8));
        refused(
                node.clone().addAllInput(List.of("", "", "", "", "P")),
                "P [D,3H]",
                "expected shape [1, 6]",
                "found [1, 8]");
        refused(
                node.clone().addAttribute(attribute("direction", "bidirectional")),
                "R [D,4H,H]",
                "expected shape [2, 8, 2]");
    }

    @Test
    void refusesWrongAttributes() {
        refused(node(1).addAttribute(attribute("direction", "backward")), "direction", "'backward'");
        refused(node(1).addAttribute(attribute("direction", 1)), "direction", "type STRING", "found INT");
        refused(
                node(1).addAttribute(attribute("clip", 1f)).addAttribute(attribute("clip", 2f)),
                "clip",
                "expected one of this name, found two");
        refused(node(1).addAttribute(attribute("clip", 0f)), "clip", "more than 0");
        refused(node(1).addAttribute(attribute("clip", Float.NaN)), "clip", "NaN");
        refused(node(1).addAttribute(attribute("input_forget", 2)), "input_forget", "0 or 1", "found 2");
        refused(node(1).addAttribute(attribute("layout", 3)), "layout", "found 3");
        refusedIn(13, node(1).addAttribute(attribute("layout", 0)), "layout", "from opset 14 on", "opset 13");
        refused(node(1).addAttribute(attribute("output_sequence", 1)), "output_sequence", "before opset 7");
        refused(node(1).addAttribute(attribute("dropout", 1)), "'dropout'", "operator LSTM");
        refused(
                node(1).addAttribute(AttributeProto.newBuilder().setName("clip").setRefAttrName("c")),
                "clip",
                "reference to 'c'");
    }

    @Test
    void refusesWrongActivations() {
        refused(
                node(1).addAttribute(texts("activations", "Sigmoid", "Tanh")),
                "activations",
                "expected 3 names",
                "found 2");
        refused(node(2).addAttribute(texts("activations", "Sigmoid", "Tanh", "Tanh")), "expected 6 names", "found 3");
        refused(node(1).addAttribute(texts("activations", "Sigmoid", "Tanh", "Gelu")), "'Gelu'", "Softplus");
        refused(
                node(1).addAttribute(texts("activations", "HardSigmoid", "Tanh", "Tanh"))
                        .addAttribute(numbers("activation_alpha", 0.1f, 0.2f, 0.3f)),
                "activation_alpha",
                "at most 1",
                "found 3");
        refused(
                node(1).addAttribute(texts("activations", "HardSigmoid", "Tanh", "Tanh"))
                        .addAttribute(numbers("activation_beta", Float.NaN)),
                "HardSigmoid, beta",
                "finite");
    }

    @Test
    void refusesWrongInputs() {
        refused(node(1).setInput(0, ""), "input X");
        refused(node(1).setInput(2, ""), "input R");
        refused(node(1).setInput(1, "computed"), "W: expected constant weights", "'computed'");
        refused(node(1).addAllInput(List.of("B", "", "", "", "", "ninth")), "at most 8 inputs");
        refused(node(1).addAllOutput(List.of("a", "b", "c")), "3 outputs");
        assertRefused(() -> read(node(1).setDomain("com.example")), "expected ONNX's operator LSTM");
        assertEquals(
                Optional.of("computed"),
                LstmNode.variableWeight(
                        OnnxNode.of(NAME, 0, node(1).setInput(1, "computed").build()),
                        name -> Optional.ofNullable(constants.get(name))));
        assertEquals(
                "node 7 (LSTM)",
                OnnxNode.of(NAME, 7, node(1).clearName().build()).label());
    }
}

package io.github.cellfuse.format.onnx;

import static io.github.cellfuse.format.onnx.Graphs.attribute;
import static io.github.cellfuse.format.onnx.Graphs.graph;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.format.onnx.Onnx.GraphProto;
import io.github.cellfuse.format.onnx.Onnx.NodeProto;
import io.github.cellfuse.format.onnx.OnnxLstm.Input;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read and what is written means to ONNX Runtime what it means here. */
class OnnxRuntimeTest {
    /**
     * Its sigmoid and tanh are off by up to 1e-5, which a few steps of small weights don't add up far; a parameter, a gate or a step in
     * the wrong place is off by 1e-2.
     */
    private static final double TOLERANCE = 2e-4;

    private static final int ROUNDS = 150;

    @TempDir
    Path folder;

    /** Names in every case, parameters that are given for all, some or none of the functions. */
    @Test
    void nodesAreReadAsOnnxRuntimeReadsThem() throws OrtException, IOException {
        long seed = TestEngines.seed(7000);
        for (int round = 0; round < ROUNDS; round++) {
            nodeIsReadAsOnnxRuntimeReadsIt(new Random(seed + round), "-Dcellfuse.seed=" + (seed + round));
        }
    }

    private void nodeIsReadAsOnnxRuntimeReadsIt(Random random, String what) throws OrtException, IOException {
        int inputs = 1 + random.nextInt(4), hidden = 1 + random.nextInt(4), directions = 1 + random.nextInt(2);
        int steps = 1 + random.nextInt(4), rows = 1 + random.nextInt(3);
        boolean isReverse = directions == 1 && random.nextBoolean();
        boolean hasLengths = random.nextBoolean(), hasStates = random.nextBoolean();
        NodeProto.Builder node = Graphs.node(
                "LSTM",
                List.of(
                        "x",
                        "W",
                        "R",
                        random.nextBoolean() ? "B" : "",
                        hasLengths ? "lens" : "",
                        hasStates ? "h0" : "",
                        hasStates ? "c0" : "",
                        random.nextBoolean() ? "P" : ""),
                "y",
                "y_h",
                "y_c");
        node.addAttribute(attribute("hidden_size", hidden))
                .addAttribute(
                        attribute("direction", directions == 2 ? "bidirectional" : isReverse ? "reverse" : "forward"));
        if (random.nextBoolean()) {
            node.addAttribute(attribute("clip", 0.2f + random.nextFloat()));
        }
        if (random.nextBoolean()) {
            node.addAttribute(attribute("input_forget", 1));
        }
        activations(random, node, directions);
        GraphProto.Builder graph = graph(List.of("x"), List.of("y", "y_h", "y_c"))
                .addInitializer(weights(random, "W", directions, 4 * hidden, inputs))
                .addInitializer(weights(random, "R", directions, 4 * hidden, hidden))
                .addInitializer(weights(random, "B", directions, 8 * hidden))
                .addInitializer(weights(random, "P", directions, 3 * hidden))
                .addNode(node);
        if (hasLengths) {
            graph.addInput(Graphs.value("lens"));
            graph.getInputBuilder(1).getTypeBuilder().getTensorTypeBuilder().setElemType(TensorType.INT32.code());
        }
        if (hasStates) {
            graph.addInput(Graphs.value("h0")).addInput(Graphs.value("c0"));
        }
        Path path =
                Files.write(folder.resolve("node.onnx"), Graphs.model(graph, 14).toByteArray());

        float[] x = RandomLstm.values(random, steps * rows * inputs, 2);
        // A row of length 0 gives zeros there, even with initial states.
        int[] lengths = hasLengths ? random.ints(rows, 1, steps + 1).toArray() : null;
        float[] h0 = RandomLstm.values(random, directions * rows * hidden, 1);
        float[] c0 = RandomLstm.values(random, directions * rows * hidden, 1);
        OnnxFile file = OnnxFile.open(path);
        LstmNode read = LstmNode.of(file.nodes().get(0), file.opset(), file.constants(), file.tensors());
        Oracle oracle = new Oracle(
                read.layer(),
                Oracle.array(x, steps, rows, inputs, false),
                lengths,
                hasStates ? Oracle.array(h0, directions, rows, hidden, false) : null,
                hasStates ? Oracle.array(c0, directions, rows, hidden, false) : null);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> given = new HashMap<>();
        given.put("x", floats(x, steps, rows, inputs));
        if (hasLengths) {
            given.put("lens", OnnxTensor.createTensor(environment, IntBuffer.wrap(lengths), new long[] {rows}));
        }
        if (hasStates) {
            given.put("h0", floats(h0, directions, rows, hidden));
            given.put("c0", floats(c0, directions, rows, hidden));
        }
        Map<String, float[]> answers = run(path, given);
        for (int t = 0; t < steps; t++) {
            for (int d = 0; d < directions; d++) {
                for (int row = 0; row < rows; row++) {
                    for (int u = 0; u < hidden; u++) {
                        assertClose(
                                what + ": " + node,
                                oracle.y[t][row][d * hidden + u],
                                answers.get("y")[((t * directions + d) * rows + row) * hidden + u]);
                    }
                }
            }
        }
        assertStates(what, oracle.lastH, answers.get("y_h"), 0);
        assertStates(what, oracle.lastC, answers.get("y_c"), 0);
    }

    private static Onnx.TensorProto weights(Random random, String name, long... shape) {
        int count = 1;
        for (long dimension : shape) {
            count *= (int) dimension;
        }
        return Graphs.floats(name, RandomLstm.values(random, count, 0.7f), shape);
    }

    private static void activations(Random random, NodeProto.Builder node, int directions) {
        if (random.nextInt(4) == 0) {
            return;
        }
        List<String> names = new ArrayList<>();
        int alphas = 0, betas = 0;
        for (int k = 0; k < 3 * directions; k++) {
            ActivationFunction[] all = ActivationFunction.values();
            ActivationFunction function = all[random.nextInt(all.length)];
            String name = function.onnxName();
            names.add(random.nextBoolean() ? name : name.toLowerCase(Locale.ROOT));
            alphas += function.hasAlpha() ? 1 : 0;
            betas += function.hasBeta() ? 1 : 0;
        }
        // Its default for ThresholdedRelu isn't the specification's.
        boolean isThreshold = names.stream().anyMatch(name -> name.equalsIgnoreCase("ThresholdedRelu"));
        int givenAlphas = isThreshold ? alphas : random.nextInt(alphas + 1), givenBetas = random.nextInt(betas + 1);
        node.addAttribute(Graphs.texts("activations", names.toArray(String[]::new)));
        if (givenAlphas > 0) {
            node.addAttribute(Graphs.numbers("activation_alpha", parameters(random, givenAlphas)));
        }
        if (givenBetas > 0) {
            node.addAttribute(Graphs.numbers("activation_beta", parameters(random, givenBetas)));
        }
    }

    private static Float[] parameters(Random random, int count) {
        return IntStream.range(0, count)
                .mapToObj(k -> 0.2f + 0.6f * random.nextFloat())
                .toArray(Float[]::new);
    }

    @Test
    void modelsAreWrittenAsOnnxRuntimeReadsThem() throws OrtException {
        long seed = TestEngines.seed(8000);
        int compared = 0;
        for (int round = 0; round < ROUNDS / 3; round++) {
            compared +=
                    modelIsWrittenAsOnnxRuntimeReadsIt(new Random(seed + round), "-Dcellfuse.seed=" + (seed + round))
                            ? 1
                            : 0;
        }
        assertTrue(compared >= ROUNDS / 6, compared + " of " + ROUNDS / 3 + " could be compared");
    }

    /** Beyond, ONNX Runtime's Softplus overflows, which the specification's doesn't. */
    private static final double LARGEST = 80;

    private static boolean isLarge(double[][][] values) {
        return Arrays.stream(values)
                .flatMap(Arrays::stream)
                .flatMapToDouble(Arrays::stream)
                .anyMatch(value -> !(Math.abs(value) < LARGEST));
    }

    /** Whether all could be compared: values may grow beyond what ONNX Runtime can compute. */
    private boolean modelIsWrittenAsOnnxRuntimeReadsIt(Random random, String what) throws OrtException {
        LstmModel model = OnnxLstmTest.model(random);
        int steps = 1 + random.nextInt(4), rows = 1 + random.nextInt(3);
        boolean hasLengths = random.nextBoolean(), hasStates = random.nextBoolean();
        EnumSet<Input> inputs = EnumSet.noneOf(Input.class);
        Path path = folder.resolve("model.onnx");
        float[] x = RandomLstm.values(random, rows * steps * model.inputSize(), 1);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> given = new HashMap<>();
        given.put("x", floats(x, rows, steps, model.inputSize()));
        int[] lengths = hasLengths ? random.ints(rows, 1, steps + 1).toArray() : null;
        if (hasLengths) {
            inputs.add(Input.LENGTHS);
            long[] wide = IntStream.of(lengths).asLongStream().toArray();
            given.put("lengths", OnnxTensor.createTensor(environment, LongBuffer.wrap(wide), new long[] {rows}));
        }
        int states = (int) model.cellValuesBelow(model.layerCount()) * rows;
        float[] h0 = RandomLstm.values(random, states, 1), c0 = RandomLstm.values(random, states, 1);
        if (hasStates) {
            inputs.add(Input.STATES);
            give(given, model, "h0", h0, rows);
            give(given, model, "c0", c0, rows);
        }
        OnnxLstm.save(model, path, true, inputs);
        Map<String, float[]> answers = run(path, given);

        double[][][] sequence = Oracle.array(x, rows, steps, model.inputSize(), true);
        int below = 0;
        boolean isStacked = model.isUniform();
        for (int k = 0; k < model.layerCount(); k++) {
            LstmLayer layer = model.layer(k);
            int d = layer.directionCount(), hidden = layer.hiddenSize(), count = d * rows * hidden;
            Oracle oracle = new Oracle(
                    layer,
                    sequence,
                    lengths,
                    hasStates ? Oracle.array(part(h0, below, count), d, rows, hidden, false) : null,
                    hasStates ? Oracle.array(part(c0, below, count), d, rows, hidden, false) : null);
            if (isLarge(oracle.y) || isLarge(oracle.lastC)) {
                return false;
            }
            String of = isStacked ? "" : "_l" + k;
            assertStates(what, oracle.lastH, answers.get("h_n" + of), isStacked ? below : 0);
            assertStates(what, oracle.lastC, answers.get("c_n" + of), isStacked ? below : 0);
            below += count;
            sequence = oracle.y;
        }
        for (int t = 0; t < steps; t++) {
            for (int row = 0; row < rows; row++) {
                for (int u = 0; u < model.outputSize(); u++) {
                    assertClose(
                            what, sequence[t][row][u], answers.get("y")[(row * steps + t) * model.outputSize() + u]);
                }
            }
        }
        return true;
    }

    private static void give(Map<String, OnnxTensor> given, LstmModel model, String name, float[] states, int rows)
            throws OrtException {
        if (model.isUniform()) {
            int hidden = model.layer(0).hiddenSize();
            given.put(name, floats(states, states.length / rows / hidden, rows, hidden));
            return;
        }
        int below = 0;
        for (int k = 0; k < model.layerCount(); k++) {
            int d = model.layer(k).directionCount(), hidden = model.layer(k).hiddenSize();
            given.put(name + "_l" + k, floats(part(states, below, d * rows * hidden), d, rows, hidden));
            below += d * rows * hidden;
        }
    }

    private static float[] part(float[] values, int from, int count) {
        return Arrays.copyOfRange(values, from, from + count);
    }

    private static OnnxTensor floats(float[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), FloatBuffer.wrap(values), shape);
    }

    private static void assertStates(String what, double[][][] expected, float[] found, int first) {
        int at = first;
        for (double[][] direction : expected) {
            for (double[] row : direction) {
                for (double value : row) {
                    assertClose(what, value, found[at++]);
                }
            }
        }
    }

    /** Without sigmoid and tanh states grow, and float32 is only relatively exact. */
    private static void assertClose(String what, double expected, float found) {
        assertEquals(expected, found, TOLERANCE * Math.max(1, Math.abs(expected)), what);
    }

    private static Map<String, float[]> run(Path path, Map<String, OnnxTensor> given) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            try (OrtSession session = OrtEnvironment.getEnvironment().createSession(path.toString(), options);
                    OrtSession.Result result = session.run(given)) {
                Map<String, float[]> answers = new HashMap<>();
                result.forEach(entry -> {
                    FloatBuffer buffer = ((OnnxTensor) entry.getValue()).getFloatBuffer();
                    float[] values = new float[buffer.remaining()];
                    buffer.get(values);
                    answers.put(entry.getKey(), values);
                });
                return answers;
            }
        } finally {
            given.values().forEach(OnnxTensor::close);
        }
    }
}

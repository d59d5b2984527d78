package io.github.cellfuse.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.OnnxLstm.Input;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written means to ONNX Runtime what it means here; {@link OnnxOperatorTest} has what is read. */
class OnnxRuntimeTest {
    /**
     * Its sigmoid and tanh are off by up to 1e-5, which a few steps of small weights don't add up far; a parameter, a
     * gate or a step in the wrong place is off by 1e-2.
     */
    private static final double TOLERANCE = 2e-4;

    private static final int ROUNDS = 50;

    @TempDir
    Path folder;

    @Test
    void modelsAreWrittenAsOnnxRuntimeReadsThem() throws OrtException {
        long seed = TestEngines.seed(8000);
        int compared = 0;
        for (int round = 0; round < ROUNDS; round++) {
            compared +=
                    modelIsWrittenAsOnnxRuntimeReadsIt(new Random(seed + round), "-Dcellfuse.seed=" + (seed + round))
                            ? 1
                            : 0;
        }
        assertTrue(compared >= ROUNDS / 2, compared + " of " + ROUNDS + " could be compared");
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

        double[][][] sequence = OperatorOracle.array(x, rows, steps, model.inputSize(), true);
        int below = 0;
        boolean isStacked = model.isUniform();
        for (int k = 0; k < model.layerCount(); k++) {
            LstmLayer layer = model.layer(k);
            int d = layer.directionCount(), hidden = layer.hiddenSize(), count = d * rows * hidden;
            OperatorOracle oracle = new OperatorOracle(
                    layer,
                    sequence,
                    lengths,
                    hasStates ? OperatorOracle.array(part(h0, below, count), d, rows, hidden, false) : null,
                    hasStates ? OperatorOracle.array(part(c0, below, count), d, rows, hidden, false) : null);
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

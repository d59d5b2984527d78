package io.github.cellfuse.format.torch;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PyTorchLstmTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "lstm_no_bias", "lstm_deep"})
    void computesWhatPyTorchComputes(String name) {
        LstmModel model = PyTorchLstm.load(file(name + ".safetensors"));
        try (NpzArchive archive = NpzArchive.open(file(name + ".npz"));
                NpyArray inputs = archive.array("x");
                NpyArray outputs = archive.array("y")) {
            int steps = (int) inputs.shape()[0];
            int rows = (int) inputs.shape()[1];
            float[] x = inputs.readAll();
            float[] y = outputs.readAll();
            for (int row = 0; row < rows; row++) {
                double[][] found = PlainLstm.run(model, row(x, row, rows, steps));
                double[][] expected = row(y, row, rows, steps);
                for (int t = 0; t < steps; t++) {
                    // y was rounded to float32 once.
                    assertArrayEquals(expected[t], found[t], 1e-7, "row " + row + ", step " + t);
                }
            }
        }
    }

    private static double[][] row(float[] tensor, int row, int rows, int steps) {
        int features = tensor.length / rows / steps;
        double[][] values = new double[steps][features];
        for (int t = 0; t < steps; t++) {
            for (int f = 0; f < features; f++) {
                values[t][f] = tensor[(t * rows + row) * features + f];
            }
        }
        return values;
    }

    @Test
    void keepsTheSizes() {
        LstmModel deep = PyTorchLstm.load(file("lstm_deep.safetensors"));
        assertEquals(Direction.BIDIRECTIONAL, deep.last().direction());
        assertEquals(2, deep.layerCount());
        assertEquals(3, deep.inputSize());
        assertEquals(4, deep.last().hiddenSize());
        assertEquals(2, deep.last().stateSize());
        assertTrue(deep.last().hasProjection());
        LstmModel bare = PyTorchLstm.load(file("lstm_no_bias.safetensors"));
        assertTrue(bare.weights(0, 0).inputBias().isEmpty());
        assertFalse(bare.last().hasProjection());
    }

    @Test
    void findsTheOneLstm() {
        LstmModel only = PyTorchLstm.load(file("lstm_and_gru.safetensors"));
        assertEquals(3, only.inputSize());
        Path two = file("two_lstms.safetensors");
        assertRefused(() -> PyTorchLstm.load(two), "two_lstms", "found 2", "'encoder.', 'decoder.'", "--prefix");
        float[] encoder =
                PyTorchLstm.load(two, Optional.of("encoder.")).weights(0, 0).input();
        float[] decoder =
                PyTorchLstm.load(two, Optional.of("decoder")).weights(0, 0).input();
        assertArrayEquals(only.weights(0, 0).input(), encoder);
        assertFalse(encoder[0] == decoder[0]);
        assertRefused(() -> PyTorchLstm.load(two, Optional.of("head")), "'head'", "'encoder.', 'decoder.'");
        assertRefused(() -> PyTorchLstm.load(two, Optional.of("")), "''", "'encoder.', 'decoder.'");
        assertRefused(() -> PyTorchLstm.load(file("lstm_and_gru.safetensors"), Optional.of("gru")), "GRU");
        assertRefused(() -> PyTorchLstm.load(file("gru.safetensors")), "only GRUs", "'rnn.'");
        assertRefused(() -> PyTorchLstm.load(file("head.safetensors")), "weight_ih_l0", "found 'head.weight'");
        try (SafetensorsFile file = SafetensorsFile.open(two)) {
            assertEquals(3, PyTorchLstm.load(file, Optional.of("decoder.")).inputSize());
        }
    }

    /** A bidirectional LSTM of two layers with I = 3, H = 4, P = 2 by name, without its prefix; to be damaged. */
    private static Map<String, long[]> deep() {
        Map<String, long[]> shapes = new TreeMap<>();
        for (int layer = 0; layer < 2; layer++) {
            for (String end : new String[] {"_l" + layer, "_l" + layer + "_reverse"}) {
                shapes.put("weight_ih" + end, new long[] {16, layer == 0 ? 3 : 4});
                shapes.put("weight_hh" + end, new long[] {16, 2});
                shapes.put("bias_ih" + end, new long[] {16});
                shapes.put("bias_hh" + end, new long[] {16});
                shapes.put("weight_hr" + end, new long[] {2, 4});
            }
        }
        return shapes;
    }

    private Path write(String prefix, Map<String, long[]> shapes) {
        SafetensorsWriter writer = new SafetensorsWriter();
        shapes.forEach((name, shape) -> {
            int count = 1;
            for (long dimension : shape) {
                count *= (int) dimension;
            }
            writer.tensor(prefix + name, new float[count], shape);
        });
        Path target = folder.resolve("model.safetensors");
        writer.write(target, true);
        return target;
    }

    @Test
    void takesAnyPrefix() {
        for (String prefix : new String[] {"", "lstm.", "a.b.c.", "odd_"}) {
            Map<String, long[]> shapes = deep();
            if (prefix.isEmpty()) {
                shapes.put("fc", new long[] {1});
            }
            assertEquals(2, PyTorchLstm.load(write(prefix, shapes)).layerCount());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "weight_ih_l0, '[4H, I]'",
        "weight_hr_l0, '[P, H]'",
        "weight_ih_l1, '[16, 4]'",
        "weight_hh_l1_reverse, '[16, 2]'",
        "bias_hh_l0, '[16]'",
        "bias_ih_l1_reverse, '[16]'",
        "weight_hr_l1, '[2, 4]'"
    })
    void refusesMissingTensors(String name, String shape) {
        Map<String, long[]> shapes = deep();
        shapes.remove(name);
        Path file = write("lstm.", shapes);
        assertRefused(() -> PyTorchLstm.load(file), file, "tensor lstm." + name + ":", shape, "found none");
    }

    @ParameterizedTest
    @CsvSource({
        "weight_ih_l0, 15, 3, '[4H, I]', multiple of 4",
        "weight_ih_l0, 16, 0, '[4H, I]', '[16, 0]'",
        "weight_hh_l0, 16, 3, '[16, 2]', '[16, 3]'",
        "weight_ih_l1, 16, 2, '[16, 4]', '[16, 2]'",
        "bias_ih_l1, 16, 1, '[16]', '[16, 1]'",
        "weight_hr_l0, 2, 5, '[2, 4]', '[2, 5]'",
        "weight_hr_l1_reverse, 4, 2, '[2, 4]', '[4, 2]'"
    })
    void refusesOtherShapes(String name, long rows, long columns, String expected, String found) {
        Map<String, long[]> shapes = deep();
        shapes.put(name, new long[] {rows, columns});
        Path file = write("lstm.", shapes);
        assertRefused(() -> PyTorchLstm.load(file), file, "tensor lstm." + name + ":", expected, found);
    }

    @ParameterizedTest
    @CsvSource({
        "weight_ih_l5, lstm.weight_ih_l2",
        "weight_hh_l0_raw, lstm.weight_hh_l0_raw",
        "weight_ih_l00, lstm.weight_ih_l00",
        "peephole, lstm.peephole",
        "bias_ih, lstm.bias_ih"
    })
    void refusesUnknownTensors(String name, String named) {
        Map<String, long[]> shapes = deep();
        shapes.put(name, new long[] {16, 4});
        Path file = write("lstm.", shapes);
        assertRefused(() -> PyTorchLstm.load(file), file, named);
    }

    /** Without a prefix anything may stand beside an LSTM but what looks like a part of one. */
    @ParameterizedTest
    @ValueSource(strings = {"weight_zz_l0", "peephole_l1", "gate_l0_reverse", "weight_hh_l0_raw", "bias_ih"})
    void refusesUnknownTensorsBesideABareLstm(String name) {
        Map<String, long[]> shapes = deep();
        shapes.put(name, new long[] {16, 4});
        Path file = write("", shapes);
        assertRefused(() -> PyTorchLstm.load(file), file, "tensor '" + name + "'", "expected", "found an unknown one");
    }

    @Test
    void leavesAHeadBesideABareLstmAlone() {
        Map<String, long[]> shapes = deep();
        for (String head :
                new String[] {"head.weight", "scale", "norm_layer", "blocks.fc_l1.weight", "conv.filter_l2"}) {
            shapes.put(head, new long[] {1});
        }
        assertEquals(2, PyTorchLstm.load(write("", shapes)).layerCount());
    }

    @Test
    void refusesAMatrixOfAnotherRank() {
        Map<String, long[]> shapes = deep();
        shapes.put("weight_ih_l0", new long[] {48});
        assertRefused(() -> PyTorchLstm.load(write("", shapes)), "weight_ih_l0", "[4H, I]", "[48]");
    }

    @Test
    void refusesWeightsOfAnotherType() throws Exception {
        String json = "{\"weight_ih_l0\":{\"dtype\":\"I8\",\"shape\":[4,1],\"data_offsets\":[0,4]},"
                + "\"weight_hh_l0\":{\"dtype\":\"I8\",\"shape\":[4,1],\"data_offsets\":[4,8]}}";
        byte[] bytes = new byte[8 + json.length() + 8];
        bytes[0] = (byte) json.length();
        System.arraycopy(json.getBytes(), 0, bytes, 8, json.length());
        Path file = Files.write(folder.resolve("int8.safetensors"), bytes);
        assertRefused(() -> PyTorchLstm.load(file), file, "weight_ih_l0", "F32", "found I8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "lstm_no_bias", "lstm_deep"})
    void savesWhatItLoads(String name) throws IOException {
        LstmModel model = PyTorchLstm.load(file(name + ".safetensors"));
        Path target = folder.resolve("saved.safetensors");
        PyTorchLstm.save(model, target, false, "x.");
        LstmModel again = PyTorchLstm.load(target);
        assertEquals(model.last().direction(), again.last().direction());
        assertEquals(model.layerCount(), again.layerCount());
        for (int layer = 0; layer < model.layerCount(); layer++) {
            for (int d = 0; d < model.last().directionCount(); d++) {
                LstmWeights a = model.weights(layer, d);
                LstmWeights b = again.weights(layer, d);
                assertArrayEquals(a.input(), b.input());
                assertArrayEquals(a.recurrent(), b.recurrent());
                assertArrayEquals(a.inputBias().orElse(null), b.inputBias().orElse(null));
                assertArrayEquals(
                        a.recurrentBias().orElse(null), b.recurrentBias().orElse(null));
                assertArrayEquals(a.projection().orElse(null), b.projection().orElse(null));
            }
        }
        assertRefused(() -> PyTorchLstm.save(model, target, false, ""), "exists already");
        // The fixture was put together in Python: the writer must come to the very same bytes.
        PyTorchLstm.save(model, target, true, "encoder.rnn.");
        assertArrayEquals(Files.readAllBytes(file(name + ".safetensors")), Files.readAllBytes(target));
    }

    @Test
    void savesOneBiasAsTwoWithTheSameSum() {
        float[] bias = {-0f, 0f, 1.5f, -2};
        LstmWeights.Builder ones = LstmWeights.builder(1, 1).input(new float[4]).recurrent(new float[4]);
        LstmWeights bare = ones.build(), single = ones.inputBias(bias).build();
        LstmModel model = new LstmModel(Direction.FORWARD, List.of(List.of(single), List.of(bare)));
        Path target = folder.resolve("single.safetensors");
        PyTorchLstm.save(model, target, false, "");
        LstmModel again = PyTorchLstm.load(target);
        assertArrayEquals(bias, again.weights(0, 0).bias());
        assertArrayEquals(bare.bias(), again.weights(1, 0).bias());
    }

    @Test
    void refusesToSaveAReverseModel() {
        LstmWeights weights = LstmWeights.builder(1, 1)
                .input(new float[4])
                .recurrent(new float[4])
                .build();
        LstmModel model = new LstmModel(Direction.REVERSE, List.of(List.of(weights)));
        assertRefused(() -> PyTorchLstm.save(model, folder.resolve("r"), false, ""), "reverse");
    }
}

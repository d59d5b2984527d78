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
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.ModelPart;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
    private static final Path CHECKPOINTS = Path.of("src/test/resources/checkpoints");

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "lstm_no_bias", "lstm_deep"})
    void computesWhatPyTorchComputes(String name) {
        LstmModel model = PyTorchLstm.load(file(name + ".safetensors"));
        assertComputes(file(name + ".npz"), model);
    }

    private static void assertComputes(Path expectedResults, LstmModel model) {
        try (NpzArchive archive = NpzArchive.open(expectedResults);
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

    @Test
    void readsACellAsOneLayer() {
        LstmModel model = PyTorchLstm.load(CHECKPOINTS.resolve("cell.safetensors"));
        assertEquals(1, model.layerCount());
        assertComputes(CHECKPOINTS.resolve("cell.npz"), model);
        assertEquals(
                ModelPart.ofPrefix("decoder.lstm_cell."),
                ModelFiles.inspect(CHECKPOINTS.resolve("cell.safetensors"), ModelPart.WHOLE)
                        .part());
        for (String prefix : new String[] {"decoder.lstm_cell", "decoder.lstm_cell."}) {
            assertEquals(
                    4,
                    PyTorchLstm.load(CHECKPOINTS.resolve("cell.safetensors"), Optional.of(prefix))
                            .outputSize());
        }
    }

    /** The tensors of a cell with I = 2, H = 4 and {@code gates} gates. */
    private static Map<String, long[]> cell(int gates) {
        Map<String, long[]> shapes = new TreeMap<>();
        shapes.put("weight_ih", new long[] {gates * 4, 2});
        shapes.put("weight_hh", new long[] {gates * 4, 4});
        shapes.put("bias_ih", new long[] {gates * 4});
        shapes.put("bias_hh", new long[] {gates * 4});
        return shapes;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cell.", "lstm_cell.", "decoder.cells.0."})
    void readsCellsUnderAnyPrefix(String prefix) {
        LstmModel model = PyTorchLstm.load(write(prefix, cell(4)));
        assertEquals(2, model.inputSize());
        assertTrue(model.weights(0, 0).recurrentBias().isPresent());
        Map<String, long[]> bare = cell(4);
        bare.remove("bias_ih");
        bare.remove("bias_hh");
        assertTrue(
                PyTorchLstm.load(write(prefix, bare)).weights(0, 0).inputBias().isEmpty());
        bare.remove("weight_hh");
        Path file = write(prefix, bare);
        assertRefused(
                () -> PyTorchLstm.load(file),
                "tensor " + prefix + "weight_hh: expected it with shape [16, 4], found none, in an LSTM cell");
    }

    @Test
    void refusesOtherCellsByName() {
        for (String[] kind : new String[][] {{"3", "GRUCell"}, {"1", "RNNCell"}}) {
            Path file = write("cell.", cell(Integer.parseInt(kind[0])));
            assertRefused(() -> PyTorchLstm.load(file), "expected an LSTM", kind[1] + " 'cell.'");
            assertRefused(() -> PyTorchLstm.load(file, Optional.of("cell")), "found a " + kind[1]);
        }
    }

    /** Cells of one's own often have the same names and more: layer normalization, peepholes. */
    @ParameterizedTest
    @ValueSource(strings = {"peephole", "layernorm_c.weight", "weight_hh_l0_raw", "linear.bias"})
    void refusesCellsWithMore(String name) {
        Map<String, long[]> shapes = cell(4);
        shapes.put(name, new long[] {4});
        for (String prefix : new String[] {"", "cell."}) {
            Path file = write(prefix, shapes);
            assertRefused(() -> PyTorchLstm.load(file), file, "tensor '" + prefix + name + "'", "torch.nn.LSTM");
        }
    }

    @Test
    void choosesAmongLstmsAndCells() {
        Map<String, long[]> shapes = new TreeMap<>();
        cell(4).forEach((name, shape) -> shapes.put("decoder." + name, shape));
        deep().forEach((name, shape) -> shapes.put("encoder." + name, shape));
        Path file = write("", shapes);
        assertRefused(() -> PyTorchLstm.load(file), "found 2 with the prefixes 'encoder.', 'decoder.'", "--prefix");
        assertEquals(2, PyTorchLstm.load(file, Optional.of("decoder")).inputSize());
        assertEquals(2, PyTorchLstm.load(file, Optional.of("encoder")).layerCount());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            a.    | parametrizations.weight_hh_l0.original0 | parametrizations(model.get_submodule("a"), "weight_hh_l0")
            a.b. | parametrizations.weight_ih_l1.original | parametrizations(model.get_submodule("a.b"), "weight_ih_l1")
            ``    | parametrizations.bias_ih_l0.original1 | parametrize.remove_parametrizations(model, "bias_ih_l0")
            lstm. | weight_hh_l0_g | torch.nn.utils.remove_weight_norm(model.get_submodule("lstm"), "weight_hh_l0")
            ``    | weight_hh_l0_g | torch.nn.utils.remove_weight_norm(model, "weight_hh_l0")
            lstm. | weight_ih_l0_mask | torch.nn.utils.prune.remove(model.get_submodule("lstm"), "weight_ih_l0")
            lstm. | weight_ih_l0_orig | torch.nn.utils.remove_spectral_norm(model.get_submodule("lstm"), "weight_ih_l0")
            lstm. | weight_hh_l0_raw | state["lstm.weight_hh_l0"] = state.pop("lstm.weight_hh_l0_raw")
            ``    | weight_hh_l0_raw | state["weight_hh_l0"] = state.pop("weight_hh_l0_raw")
            """)
    void namesTheCallThatUnwrapsWeights(String prefix, String name, String call) {
        Map<String, long[]> shapes = deep();
        shapes.put(name, new long[] {16, 2});
        Path file = write(prefix, shapes);
        assertRefused(() -> PyTorchLstm.load(file), file + ": tensor '" + prefix + name + "': expected", call);
        // Also where the wrapper leaves nothing under the module's own names.
        Path alone = write(prefix, Map.of(name, new long[] {16, 2}));
        assertRefused(() -> PyTorchLstm.load(alone), alone + ": tensor '" + prefix + name + "': expected", call);
    }

    /** fast.ai keeps the raw weights above the LSTM and stale ones within it. */
    @Test
    void namesTheLineThatCopiesRawWeights() {
        Map<String, long[]> shapes = new TreeMap<>();
        deep().forEach((name, shape) -> shapes.put("rnns.0.module." + name, shape));
        shapes.put("rnns.0.weight_hh_l0_raw", new long[] {16, 2});
        Path file = write("", shapes);
        String line = "state[\"rnns.0.module.weight_hh_l0\"] = state.pop(\"rnns.0.weight_hh_l0_raw\")";
        assertRefused(() -> PyTorchLstm.load(file), file, line);
        shapes.remove("rnns.0.module.weight_hh_l0");
        Path without = write("", shapes);
        assertRefused(() -> PyTorchLstm.load(without), without, line);
    }

    @Test
    void namesWhatMayBeAnLstmFirst() {
        Map<String, long[]> shapes = new TreeMap<>();
        for (int k = 0; k < 20; k++) {
            shapes.put("conv" + k + ".weight", new long[] {1});
        }
        shapes.put("zoo.my_lstm.W", new long[] {1});
        shapes.put("zz.weight_ih_0", new long[] {1});
        Path file = write("", shapes);
        assertRefused(() -> PyTorchLstm.load(file), "found 'zoo.my_lstm.W', 'zz.weight_ih_0', 'conv0.weight'");
    }

    /** Quantized tensors or counters beside an LSTM don't matter. */
    @Test
    void readsAnLstmBesideIntegers() throws IOException {
        byte[] lstm = Files.readAllBytes(file("lstm.safetensors"));
        int header = ByteBuffer.wrap(lstm).order(ByteOrder.LITTLE_ENDIAN).getInt();
        int data = lstm.length - 8 - header;
        String json = new String(lstm, 8, header, StandardCharsets.UTF_8).strip();
        StringBuilder more = new StringBuilder(json.substring(0, json.length() - 1));
        String[] types = {"I64", "I32", "U8", "BOOL", "F8_E4M3FNUZ", "I4"};
        for (int k = 0; k < types.length; k++) {
            int bytes = k == 0 ? 8 : k == 1 ? 4 : 1;
            more.append(String.format(
                    ",\"head.%s\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                    types[k], types[k], data, data += bytes));
        }
        byte[] text = (more + "}").getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(text.length).put(text).put(lstm, 8 + header, lstm.length - 8 - header);
        Path file = Files.write(folder.resolve("quantized.safetensors"), bytes.array());
        LstmModel model = PyTorchLstm.load(file);
        assertComputes(file("lstm.npz"), model);
        // But an integer weight isn't a float32 one.
        String quantized = new String(bytes.array(), StandardCharsets.ISO_8859_1)
                .replaceFirst("(weight_hh_l0\":\\{\"dtype\":\")F32", "$1I32");
        Path refused = Files.write(folder.resolve("i32"), quantized.getBytes(StandardCharsets.ISO_8859_1));
        assertRefused(() -> PyTorchLstm.load(refused), "weight_hh_l0: expected dtype F32", "found I32");
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
        assertRefused(() -> PyTorchLstm.load(file("gru.safetensors")), "only GRUs", "GRU ''", "RNN 'rnn.'");
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
        "weight_hh_l0_rawest, lstm.weight_hh_l0_rawest",
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
    @ValueSource(strings = {"weight_zz_l0", "peephole_l1", "gate_l0_reverse", "weight_hh_l0_rawest", "bias_ih"})
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

package io.github.cellfuse.cli.info;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.ModelPart;
import io.github.cellfuse.format.keras.KerasCases;
import io.github.cellfuse.format.keras.KerasLstm;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.onnx.OnnxLstm;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InfoCommandTest {
    private static final Path MODEL = Path.of("examples", "sunspots", "model.safetensors");

    @TempDir
    Path folder;

    @Test
    void tellsOfTheModelAndTheTensorsBesideIt() {
        String text = Cli.run("info", MODEL).assertDone().out();
        for (String part : new String[] {
            "prefix         lstm.",
            "2 forward, bias yes",
            "I = 2",
            "H = 32",
            "13056 (51.0 KiB)",
            "as f32 50.0 KiB, as f16 25.5 KiB, as bf16 25.5 KiB, with biases in float32",
            "25088 FLOP",
            "head.weight F32 [1, 32], head.bias F32 [1]"
        }) {
            assertTrue(text.contains(part), part + " in " + text);
        }
    }

    /** A terminal obeys the escape sequences in what it is shown, and a line break could forge a line. */
    @Test
    void namesInFilesAreNoCommandsForATerminal() throws IOException {
        byte[] bytes = Files.readAllBytes(MODEL);
        String latin1 = new String(bytes, StandardCharsets.ISO_8859_1);
        String hostile = latin1.replaceAll("\"lstm\\.(\\w+?)\"", "\"\\\\u001b[31m\\\\nx.$1\"");
        long longer = hostile.length() - latin1.length();
        ByteBuffer file =
                ByteBuffer.wrap(hostile.getBytes(StandardCharsets.ISO_8859_1)).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(0, file.getLong(0) + longer);
        Path model = Files.write(folder.resolve("m.safetensors"), file.array());
        String text = Cli.run("info", model).assertDone().out();
        assertTrue(text.contains("prefix         ?[31m?x." + System.lineSeparator()), text);
        assertFalse(text.contains("\u001b"), text);
        Path y = folder.resolve("y.npy");
        String said = Cli.run("convert", model, "-o", folder.resolve("m.onnx")).err()
                + Cli.run("run", model, "examples/sunspots/input.npy", "--device", "java", "-o", y)
                        .err();
        assertFalse(said.contains("\u001b"), said);
        assertTrue(Files.exists(y), said);
    }

    @Test
    void theJsonHasTheDocumentedKeys() {
        JsonObject json = json(MODEL, "--batch", "240", "--steps", "36");
        assertEquals(
                Set.of(
                        "format",
                        "file",
                        "model_format",
                        "saved_by",
                        "prefix",
                        "layer_count",
                        "direction",
                        "direction_count",
                        "input_size",
                        "hidden_size",
                        "projection_size",
                        "output_size",
                        "bias",
                        "parameters",
                        "weight_bytes",
                        "stored_bytes",
                        "flops_per_step",
                        "layers",
                        "batch",
                        "other_tensors",
                        "other_layers",
                        "notes"),
                json.keySet());
        assertEquals("cellfuse-info-1", json.get("format").getAsString());
        assertTrue(json.get("projection_size").isJsonNull());
        // 12544 weights, and one bias for each gate, unit and layer.
        JsonObject stored = json.getAsJsonObject("stored_bytes");
        assertEquals(Set.of("f32", "f16", "bf16"), stored.keySet());
        assertEquals(12544 * 4 + 256 * 4, stored.get("f32").getAsInt());
        assertEquals(12544 * 2 + 256 * 4, stored.get("bf16").getAsInt());
        JsonObject batch = json.getAsJsonObject("batch");
        assertEquals(Set.of("rows", "steps", "input_bytes", "output_bytes", "state_bytes", "flops"), batch.keySet());
        assertEquals(240 * 36 * 2 * 4, batch.get("input_bytes").getAsInt());
        assertEquals(240 * 36 * 32 * 4, batch.get("output_bytes").getAsInt());
        assertEquals(2 * 240 * (32 + 32) * 4, batch.get("state_bytes").getAsInt());
        assertEquals(240L * 36 * 25088, batch.get("flops").getAsLong());
        JsonObject layer = json.getAsJsonArray("layers").get(1).getAsJsonObject();
        assertEquals(
                Set.of(
                        "name",
                        "direction",
                        "input_size",
                        "hidden_size",
                        "projection_size",
                        "output_size",
                        "bias",
                        "equations",
                        "deviations",
                        "parameters",
                        "flops_per_step"),
                layer.keySet());
        JsonObject other = json.getAsJsonArray("other_tensors").get(0).getAsJsonObject();
        assertEquals("{\"name\":\"head.weight\",\"dtype\":\"F32\",\"shape\":[1,32]}", other.toString());
    }

    @Test
    void knowsProjectionsDirectionsAndBareNames() {
        LstmWeights w = LstmWeights.builder(3, 4)
                .input(new float[4 * 4 * 3])
                .recurrent(new float[4 * 4 * 2])
                .projection(new float[2 * 4], 2)
                .build();
        Path file = folder.resolve("m.safetensors");
        PyTorchLstm.save(new LstmModel(Direction.BIDIRECTIONAL, List.of(List.of(w, w))), file, false, "");
        JsonObject json = json(file);
        assertEquals("", json.get("prefix").getAsString());
        assertEquals("bidirectional", json.get("direction").getAsString());
        assertEquals(2, json.get("projection_size").getAsInt());
        assertEquals(4, json.get("output_size").getAsInt());
        JsonObject layer = json.getAsJsonArray("layers").get(0).getAsJsonObject();
        assertEquals(2, layer.get("projection_size").getAsInt());
        assertFalse(layer.get("bias").getAsBoolean());
        String text = Cli.run("info", file).assertDone().out();
        assertTrue(text.contains("layer 0      bidirectional 3 -> 4, H = 4, P = 2, no bias, 176 parameters, "), text);
        assertEquals("false", json.get("bias").toString());
        assertEquals(0, json.getAsJsonArray("other_tensors").size());
    }

    @Test
    void refusesWhatIsWrong() {
        Cli.run("info", MODEL, "--batch", "0").assertError(2, "--batch", "at least 1", "found 0");
        Cli.run("info", MODEL, "--steps", "-3").assertError(2, "--steps", "at least 1", "found -3");
        // Nothing of the table comes before the error.
        Cli.run("info", MODEL, "--batch", Integer.MAX_VALUE, "--steps", Integer.MAX_VALUE)
                .assertError(2, "--batch 2147483647, --steps 2147483647", "overflows");
        Cli.run("info", folder).assertError(2, folder);
        Cli.run("info").assertError(2, "MODEL", "cellfuse info --help");
        Path two = Path.of("src/test/resources/format/two_lstms.safetensors");
        Cli.run("info", two).assertError(2, two, "--prefix");
        Path tagger = KerasCases.file("tagger_2.h5");
        Path chains = KerasCases.file("refused_chains_3.keras");
        Cli.run("info", chains)
                .assertError(2, chains, "Dense 'head'", "--layers lstm,lstm_1 or --layers lstm_2, or export", "ONNX");
        Cli.run("info", tagger, "--prefix", "lstm").assertError(2, "--prefix", tagger, "--layers");
        Cli.run("info", MODEL, "--layers", "lstm").assertError(2, "--layers", MODEL, "--prefix");
        Cli.run("info", folder.resolve("none.keras")).assertError(2, "none.keras", "no such file");
    }

    @Test
    void tellsOfLayersThatDiffer() {
        String text = Cli.run("info", KerasCases.file("mixed_directions_3.keras"))
                .assertDone()
                .out();
        for (String part : new String[] {
            "saved by       Keras 3.8.0",
            "3 bidirectional, forward, bidirectional, bias yes",
            "H = 4, 5, 2",
            "layer 1      'lstm', forward 8 -> 5, H = 5, 280 parameters, ",
            "other layers   none"
        }) {
            assertTrue(text.contains(part), part + " in " + text);
        }
        assertTrue(!text.contains("prefix") && !text.contains("equations"), text);
    }

    /** A model describes its layers in the words and with the keys of a graph. */
    @ParameterizedTest
    @ValueSource(
            strings = {"stack_3.keras", "mixed_directions_3.keras", "bidirectional_own_backward_2.h5", "gates_2.h5"})
    void aModelAndAGraphSayTheSame(String name) {
        Path file = folder.resolve("graph.onnx");
        OnnxLstm.save(KerasLstm.load(KerasCases.file(name)), file, false);
        ModelInfo model = new ModelInfo(file, ModelFiles.inspect(file, ModelPart.WHOLE), 1, 1);
        OnnxModel opened = OnnxModel.open(file);
        GraphInfo graph = new GraphInfo(opened, opened.rows(), 1, 1);
        assertEquals(layerLines(model::print), layerLines(graph::print));
        List<?> layers = (List<?>) model.toJson().get("layers");
        Map<?, ?> part = (Map<?, ?>) ((List<?>) graph.toJson().get("parts")).get(0);
        List<?> others = (List<?>) part.get("layers");
        assertEquals(layers.size(), others.size());
        for (int k = 0; k < layers.size(); k++) {
            Map<Object, Object> other = new LinkedHashMap<>((Map<?, ?>) others.get(k));
            assertEquals(((List<?>) part.get("lstms")).get(k), other.put("name", null)); // the name of its node
            assertEquals(layers.get(k), other);
        }
    }

    /** The lines about layers, from the direction on. */
    private static List<String> layerLines(Consumer<PrintWriter> info) {
        StringWriter text = new StringWriter();
        info.accept(new PrintWriter(text));
        List<String> lines = text.toString()
                .lines()
                .filter(line -> line.matches(".*(forward|bidirectional) \\d+ -> .*"))
                .map(line -> line.replaceFirst("^.*?(forward|bidirectional)", "$1"))
                .toList();
        assertFalse(lines.isEmpty());
        return lines;
    }

    @Test
    void tellsOfEquationsAndWhatToKnowOfTheOutputs() {
        String text = Cli.run("info", KerasCases.file("bidirectional_own_backward_2.h5"))
                .assertDone()
                .out();
        assertTrue(text.contains("equations      ordinary and candidate Relu, hidden Relu"), text);
        JsonObject json = json(KerasCases.file("backwards_2.h5"));
        assertEquals("keras", json.get("model_format").getAsString());
        assertEquals("Keras 2.15.0", json.get("saved_by").getAsString());
        assertTrue(json.getAsJsonArray("notes").get(0).getAsString().contains("reversed in time"), json::toString);
        assertEquals(
                "[\"Embedding 'embedding'\",\"Dense 'head'\"]",
                json(KerasCases.file("tagger_3.keras"), "--layers", "lstm,bidirectional")
                        .get("other_layers")
                        .toString());
    }

    @Test
    void knowsAModelByItsContent() throws IOException {
        Path plain = Files.copy(KerasCases.file("stack_3.keras"), folder.resolve("model"));
        assertEquals("keras", json(plain).get("model_format").getAsString());
        Path other = Files.copy(KerasCases.file("stack_2.h5"), folder.resolve("model.bin"));
        assertEquals("keras", json(other).get("model_format").getAsString());
        Path damaged = Files.write(folder.resolve("damaged.keras"), new byte[] {1, 2, 3});
        Cli.run("info", damaged).assertError(2, damaged, "not a .keras or .h5 file");
    }

    private static JsonObject json(Object... arguments) {
        Object[] all = new Object[arguments.length + 2];
        all[0] = "info";
        all[1] = "--json";
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return JsonParser.parseString(Cli.run(all).assertDone().out()).getAsJsonObject();
    }
}

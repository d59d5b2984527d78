package io.github.cellfuse.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceCommandTest {
    private static final int N = 5, T = 7;
    private static final Path TAGGER = Path.of("src/test/resources/onnx/tagger.onnx");
    private static final String TOKENS = "src/test/resources/onnx/tagger.npz:tokens";

    @TempDir
    Path folder;

    private static Path model(String name) {
        return Path.of("src/test/resources/pytorch", name + ".safetensors");
    }

    private Path input(Path model) {
        int features = ModelFiles.read(model).inputSize();
        float[] x = RandomLstm.values(new Random(3), N * T * features, 1);
        return NpyFiles.floats(folder.resolve("x.npy"), x, N, T, features);
    }

    private JsonObject trace(Object... arguments) {
        Path json = folder.resolve("trace.json");
        Object[] command = Stream.of(
                        Stream.of("trace"),
                        Stream.of(arguments),
                        Stream.of("--json", json, "--overwrite", "--device", "java"))
                .flatMap(part -> part)
                .toArray();
        Cli.run(command).assertDone();
        try {
            return JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static float[][] matrix(JsonElement steps) {
        List<float[]> rows = new ArrayList<>();
        steps.getAsJsonArray().forEach(step -> rows.add(vector(step)));
        return rows.toArray(float[][]::new);
    }

    private static float[] vector(JsonElement values) {
        JsonArray array = values.getAsJsonArray();
        float[] vector = new float[array.size()];
        for (int k = 0; k < vector.length; k++) {
            vector[k] = array.get(k).getAsFloat();
        }
        return vector;
    }

    /** The equations of the cell, from the values alone: C = f·C₋₁ + i·C̃ and, without a projection, h = o·tanh(C). */
    @ParameterizedTest
    @ValueSource(strings = {"layers_3", "bidirectional_layers_3", "bidirectional_projection", "no_bias"})
    void theValuesObeyTheEquations(String name) {
        Path model = model(name);
        LstmModel loaded = ModelFiles.read(model);
        JsonObject json = trace(model, input(model), "--rows", "1,4");
        assertTrue(json.get("same_bits").getAsBoolean());
        assertEquals("a normal run", json.get("compared_with").getAsString());
        JsonObject of = json.getAsJsonArray("traces").get(0).getAsJsonObject();
        assertEquals(2, of.getAsJsonArray("rows").size());
        int layers = IntStream.range(0, loaded.layerCount())
                .map(k -> loaded.layer(k).directionCount())
                .sum();
        assertEquals(layers, of.getAsJsonArray("layers").size());
        for (JsonElement each : of.getAsJsonArray("layers")) {
            JsonObject layer = each.getAsJsonObject();
            boolean isReverse = layer.get("direction").getAsString().equals("reverse");
            int units = layer.get("hidden_size").getAsInt();
            for (JsonElement one : layer.getAsJsonArray("rows")) {
                JsonObject row = one.getAsJsonObject();
                float[] previous = vector(row.get("c_before"));
                float[][] i = matrix(row.get("i")), f = matrix(row.get("f")), g = matrix(row.get("g"));
                float[][] o = matrix(row.get("o")), c = matrix(row.get("c")), h = matrix(row.get("h"));
                assertEquals(T, c.length);
                for (int k = 0; k < T; k++) {
                    int t = isReverse ? T - 1 - k : k;
                    for (int u = 0; u < units; u++) {
                        assertEquals(f[t][u] * (double) previous[u] + i[t][u] * (double) g[t][u], c[t][u], 1e-6);
                        if (h[t].length == units && !loaded.last().hasProjection()) {
                            assertEquals(o[t][u] * Math.tanh(c[t][u]), h[t][u], 1e-6);
                        }
                    }
                    previous = c[t];
                }
                assertEquals(layer.get("state_size").getAsInt(), h[0].length);
            }
        }
    }

    /** The hidden states of the last layer are y, as run writes it. */
    @Test
    void theHiddenStatesAreTheOutput() {
        Path model = model("layers_3"), x = input(model), y = folder.resolve("y.npy");
        Cli.run("run", model, x, "-o", y, "--device", "java").assertDone();
        JsonObject json = trace(model, x, "--rows", "2", "--layer", "2");
        JsonArray layers =
                json.getAsJsonArray("traces").get(0).getAsJsonObject().getAsJsonArray("layers");
        assertEquals(1, layers.size());
        JsonObject layer = layers.get(0).getAsJsonObject();
        assertEquals(2, layer.get("layer").getAsInt());
        float[][] h =
                matrix(layer.getAsJsonArray("rows").get(0).getAsJsonObject().get("h"));
        try (NpyArray expected = NpyArray.open(y)) {
            float[] all = expected.readAll();
            int width = h[0].length;
            for (int t = 0; t < T; t++) {
                for (int u = 0; u < width; u++) {
                    assertEquals(all[(2 * T + t) * width + u], h[t][u]);
                }
            }
        }
    }

    /** A window shows the same values as the whole, and the state before it in running order. */
    @ParameterizedTest
    @CsvSource({"0, forward", "1, reverse"})
    void aWindowBeginsWithTheStateBeforeIt(int direction, String name) {
        Path model = model("bidirectional"), x = input(model);
        Path lengths = NpyFiles.ints(folder.resolve("lengths.npy"), 7, 3, 6, 7, 0);
        JsonObject whole = row(trace(model, x, "--rows", "2", "--lengths", lengths), direction, name);
        JsonObject part = row(trace(model, x, "--rows", "2", "--lengths", lengths, "--steps", "2-4"), direction, name);
        float[][] all = matrix(whole.get("c")), some = matrix(part.get("c"));
        assertEquals(6, all.length);
        assertEquals(3, some.length);
        for (int t = 0; t < some.length; t++) {
            assertEquals(List.of(boxed(all[2 + t])), List.of(boxed(some[t])));
        }
        assertEquals(List.of(boxed(all[direction == 0 ? 1 : 5])), List.of(boxed(vector(part.get("c_before")))));
    }

    private static List<Float> boxed(float[] values) {
        List<Float> list = new ArrayList<>();
        for (float value : values) {
            list.add(value);
        }
        return list;
    }

    private static JsonObject row(JsonObject json, int layer, String direction) {
        JsonObject found = json.getAsJsonArray("traces")
                .get(0)
                .getAsJsonObject()
                .getAsJsonArray("layers")
                .get(layer)
                .getAsJsonObject();
        assertEquals(direction, found.get("direction").getAsString());
        return found.getAsJsonArray("rows").get(0).getAsJsonObject();
    }

    @Test
    void aRowWithoutStepsIsShownAsSuch() {
        Path model = model("bidirectional"), x = input(model);
        Path lengths = NpyFiles.ints(folder.resolve("lengths.npy"), 7, 3, 6, 7, 0);
        JsonObject row = row(trace(model, x, "--rows", "4", "--lengths", lengths), 0, "forward");
        assertEquals(0, row.getAsJsonArray("c").size());
    }

    @Test
    void ofAGraphEachLstmIsTracedAndTheWordsNameTheSteps() throws IOException {
        int vocabulary = 2000;
        Path words = folder.resolve("words.txt");
        Files.write(words, IntStream.range(0, vocabulary).mapToObj(k -> "w" + k).toList());
        JsonObject json = trace(TAGGER, TOKENS, "--words", words, "--rows", "0-1");
        JsonArray traces = json.getAsJsonArray("traces");
        assertTrue(traces.size() >= 1);
        JsonArray rows = traces.get(0).getAsJsonObject().getAsJsonArray("rows");
        assertEquals(2, rows.size());
        JsonArray labels = rows.get(1).getAsJsonObject().getAsJsonArray("labels");
        assertEquals(rows.get(1).getAsJsonObject().get("steps").getAsInt(), labels.size());
        assertTrue(labels.get(0).getAsString().matches("w\\d+"), labels.toString());
        assertTrue(json.get("same_bits").getAsBoolean());
    }

    @Test
    void thePageHoldsTheData() throws IOException {
        Path model = model("layers_2"), html = folder.resolve("t.html"), labels = folder.resolve("labels.txt");
        Files.write(labels, IntStream.range(0, T).mapToObj(k -> "</script>" + k).toList());
        Cli.run("trace", model, input(model), "--html", html, "--labels", labels, "--device", "java")
                .assertDone();
        String page = Files.readString(html);
        assertTrue(page.contains("cellfuse-trace-1"));
        assertTrue(page.contains("\\u003c/script\\u003e0"));
        assertFalse(page.contains("/*data*/") || page.contains("/*chart.js*/"));
    }

    @Test
    void mistakesAreNamed() throws IOException {
        Path model = model("layers_2"), x = input(model), html = folder.resolve("t.html");
        Cli.run("trace", model, x).assertError(2, "--html F.html");
        Cli.run("trace", model, "--html", html).assertError(2, "INPUT is missing");
        Cli.run("trace", model, x, "--html", folder.resolve("t.txt")).assertError(2, ".html");
        Cli.run("trace", model, x, "--html", html, "--rows", "5").assertError(2, "--rows", "0 to 4", "found 5");
        Cli.run("trace", model, x, "--html", html, "--rows", "3-1").assertError(2, "--rows", "'3-1'");
        Cli.run("trace", model, x, "--html", html, "--rows", "a").assertError(2, "--rows", "'a'");
        Cli.run("trace", model, x, "--html", html, "--steps", "7-9").assertError(2, "--steps", "0 to 6");
        Cli.run("trace", model, x, "--html", html, "--layer", 2).assertError(2, "--layer", "0 to 1", "found 2");
        Cli.run("trace", model, x, "--html", html, "--words", x).assertError(2, "--words");
        Cli.run("trace", TAGGER, "-", "--html", html, "--words", x).assertError(2, "--words", "found stdin");
        Cli.run("trace", model, x, "--html", html, "--part", 0).assertError(2, "--part");
        Cli.run("trace", model, x, "--html", html, "--device", "reference").assertError(2, "reference", "java");
        Path labels = Files.writeString(folder.resolve("labels.txt"), "one\ntwo\n");
        Cli.run("trace", model, x, "--html", html, "--labels", labels, "--device", "java")
                .assertError(2, "--labels", "7 steps", "found 2");
        assertFalse(Files.exists(html));
        Path few = Files.writeString(folder.resolve("few.txt"), "a\nb\n");
        Cli.run("trace", TAGGER, TOKENS, "--html", html, "--words", few, "--device", "java")
                .assertError(2, "--words", "found 2 words");
        Cli.run("trace", TAGGER, TOKENS, "--html", html, "--part", 9).assertError(2, "--part");
        assertFalse(Files.exists(html));
    }

    @Test
    void aTraceThatNoBrowserShowsIsRefusedBeforeItRuns() {
        Path model = model("hidden_207"), html = folder.resolve("t.html");
        int features = ModelFiles.read(model).inputSize(), steps = 4000;
        Path x = NpyFiles.zeros(folder.resolve("long.npy"), 1, steps, features);
        Cli.run("trace", model, x, "--html", html).assertError(2, "more than 4194304", "--steps");
        Cli.run("trace", model, x, "--html", html, "--steps", "100-109", "--device", "java")
                .assertDone();
    }
}

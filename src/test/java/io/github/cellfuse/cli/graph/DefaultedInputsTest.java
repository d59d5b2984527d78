package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code run} and {@code info} with inputs that have default values. */
class DefaultedInputsTest {
    private static final int T = 4, N = 3, I = 2, H = 5;

    @TempDir
    Path folder;

    private final Random random = new Random(7);
    private final Tensor h0 = scaled(random, 1, N, H), c0 = scaled(random, 1, N, H);

    /** An LSTM with initial states, as inputs with or without defaults. */
    private Path model(boolean hasDefaults) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", I))
                .addInput(floats("h0", 1, "batch", H))
                .addInput(floats("c0", 1, "batch", H))
                .addOutput(floats("a.y", "time", 1, "batch", H))
                .addOutput(floats("hn", 1, "batch", H))
                .addOutput(floats("cn", 1, "batch", H))
                .addNode(lstm("a", "x", H, List.of("", "h0", "c0"), List.of("hn", "cn")));
        weights(graph, "a", new Random(8), 1, I, H);
        if (hasDefaults) {
            graph.addInitializer(constant("h0", h0)).addInitializer(constant("c0", c0));
        }
        return Protos.write(folder, graph);
    }

    private Path x() {
        Random values = new Random(9);
        float[] x = new float[T * N * I];
        for (int k = 0; k < x.length; k++) {
            x[k] = (float) values.nextGaussian();
        }
        return NpyFiles.floats(folder.resolve("x.npy"), x, T, N, I);
    }

    private Path file(String name, Tensor value) {
        float[] values = new float[value.elementCount()];
        value.floats().get(values);
        return NpyFiles.floats(folder.resolve(name), values, value.shape());
    }

    private Path run(String name, Path model, Object... more) {
        Path out = folder.resolve(name);
        List<Object> arguments = new ArrayList<>(List.of("run", model, "-o", out, "--device", "java"));
        arguments.addAll(List.of(more));
        Cli.run(arguments.toArray()).assertDone();
        return out;
    }

    private static float[] read(Path archive, String name) {
        try (NpzArchive file = NpzArchive.open(archive);
                NpyArray array = file.array(name)) {
            return array.readAll();
        }
    }

    /** The file that the twin without defaults gives. */
    private Path expected(String name, Tensor h, Tensor c) {
        return run(
                name,
                model(false),
                "--input",
                "x=" + x(),
                "--input",
                "h0=" + file("h.npy", h),
                "--input",
                "c0=" + file("c.npy", c));
    }

    @Test
    void aDefaultIsUsedGivenOrBound() throws IOException {
        Path model = model(true);
        Tensor h = scaled(random, 1, N, H);
        Path defaults = expected("defaults.npz", h0, c0), others = expected("others.npz", h, c0);
        assertFalse(Files.mismatch(defaults, others) == -1);
        assertEquals(-1, Files.mismatch(defaults, run("a.npz", model, x())));
        Path given = run("b.npz", model, "--input", "x=" + x(), "--input", "h0=" + file("h.npy", h));
        assertEquals(-1, Files.mismatch(others, given));
        // With a file for its default, the file without a name is that of the only other input.
        assertEquals(-1, Files.mismatch(others, run("c.npz", model, x(), "--input", "h0=" + file("h.npy", h))));
        assertEquals(-1, Files.mismatch(others, run("d.npz", model, x(), "--set", "h0=" + file("h.npy", h))));
        // The file's rows are cut along with those of x.
        Path chunks = run(
                "e.npz",
                model,
                x(),
                "--input",
                "h0=" + file("h.npy", h),
                "--input",
                "c0=" + file("c.npy", c0),
                "--batch",
                2);
        assertEquals(-1, Files.mismatch(others, chunks));
    }

    @Test
    void aStateBeginsWithItsDefault() {
        Path model = model(true);
        Path whole = expected("whole.npz", h0, c0);
        Object[] stream = {x(), "--frames", "0:1", "--state", "h0=hn", "--state", "c0=cn"};
        Path frames = run("frames.npz", model, stream);
        for (String name : List.of("a.y", "hn", "cn")) {
            assertArrayEquals(read(whole, name), read(frames, name), name);
        }
        // In chunks, each with its own part of the defaults.
        for (int batch = 1; batch < N; batch++) {
            Path chunks = run(
                    "chunks" + batch + ".npz",
                    model,
                    x(),
                    "--frames",
                    "0:1",
                    "--state",
                    "h0=hn",
                    "--state",
                    "c0=cn",
                    "--batch",
                    batch);
            assertArrayEquals(read(whole, "a.y"), read(chunks, "a.y"), "batch " + batch);
            assertArrayEquals(read(whole, "cn"), read(chunks, "cn"), "batch " + batch);
        }
        // From a file instead, and beside a default that stays what it is in every call.
        Tensor h = scaled(random, 1, N, H);
        Path given = run(
                "given.npz",
                model,
                "--input",
                "x=" + x(),
                "--frames",
                "x=0:1",
                "--state",
                "h0=hn",
                "--state",
                "c0=cn",
                "--input",
                "h0=" + file("h.npy", h));
        assertArrayEquals(read(expected("other.npz", h, c0), "cn"), read(given, "cn"));
        Path one = run("one.npz", model, x(), "--frames", "0:1", "--state", "h0=hn");
        Path same = run(
                "same.npz",
                model(false),
                "--input",
                "x=" + x(),
                "--input",
                "h0=" + file("h.npy", h0),
                "--input",
                "c0=" + file("c.npy", c0),
                "--frames",
                "x=0:1",
                "--state",
                "h0=hn");
        assertArrayEquals(read(same, "a.y"), read(one, "a.y"));
    }

    @Test
    void aModelMayHaveDefaultsOnly() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", I))
                .addInitializer(constant("x", Tensor.of(new float[] {-1, -2}, I)))
                .addNode(node("Abs", "abs", List.of("x"), List.of("y")))
                .addOutput(floats("y", I));
        Path model = Protos.write(folder, graph), x = file("x2.npy", Tensor.of(new float[] {3, 4}, I));
        assertArrayEquals(new float[] {1, 2}, read(run("default.npz", model), "y"));
        assertArrayEquals(new float[] {3, 4}, read(run("given.npz", model, "--input", "x=" + x), "y"));
        Cli.run("run", model, x, "-o", folder.resolve("y.npy"))
                .assertError(2, x, model + " needs no input", "to replace a default, use --input NAME=F for x");
    }

    @Test
    void infoListsDefaults() {
        Path model = model(true);
        String text = Cli.run("info", model).assertDone().out();
        assertTrue(text.contains(": float32 [time, batch, 2]" + System.lineSeparator()), text);
        assertTrue(text.contains("h0: float32 [1, batch, 5] (has a default)"), text);
        assertTrue(text.contains("c0: float32 [1, batch, 5] (has a default)"), text);
        JsonObject json = JsonParser.parseString(
                        Cli.run("info", model, "--json").assertDone().out())
                .getAsJsonObject();
        assertEquals(
                List.of("\"x\" false", "\"h0\" true", "\"c0\" true"),
                json.getAsJsonArray("inputs").asList().stream()
                        .map(input -> input.getAsJsonObject().get("name") + " "
                                + input.getAsJsonObject().get("has_default"))
                        .toList());
        String bound = Cli.run("info", model, "--set", "h0=" + file("h.npy", h0))
                .assertDone()
                .out();
        assertFalse(bound.contains("h0: "), bound);
        assertTrue(bound.contains("c0: float32 [1, batch, 5] (has a default)"), bound);
    }

    @Test
    void namesTheOptionAndTheNames() {
        Path model = model(true), out = folder.resolve("out.npz"), h = file("h.npy", h0), x = x();
        String inputs = "expected an input of " + model + ", one of x, h0, c0, found 'z'";
        String outputs = "expected an output of " + model + ", one of a.y, hn, cn, found 'z'";
        String before = NpyFiles.names(folder);
        Object[][] cases = {
            {"--set: " + inputs, "--set", "z=1"},
            {"--input: " + inputs, "--input", "z=" + h},
            {"--state: " + inputs, "--state", "z=hn", "--frames", "0:1"},
            {"--state: " + outputs, "--state", "h0=z", "--frames", "0:1"},
            {"--frames: " + inputs, "--frames", "z=0"},
            {"--output-name: " + outputs, "--output-name", "z"},
            {"--input h0: expected an input that isn't bound", "--input", "h0=" + h, "--set", "h0=" + h},
            {"--state h0: expected an input that isn't bound", "--state", "h0=hn", "--set", "h0=" + h, "--frames", "0"},
            {"--frames h0: expected an input that is read from a file, found no --input h0=F", "--frames", "h0=0"},
            {h + ": --frames: expected a multiple of 2 along axis 2", "--input", "h0=" + h, "--frames", "h0=2:2"},
        };
        for (Object[] one : cases) {
            List<Object> arguments = new ArrayList<>(List.of("run", model, x, "-o", out, "--device", "java"));
            arguments.addAll(List.of(one).subList(1, one.length));
            Cli.run(arguments.toArray()).assertError(2, one[0]);
            assertEquals(before, NpyFiles.names(folder));
        }
        Cli.run("info", model, "--set", "z=1").assertError(2, "--set: " + inputs);
        Cli.run("info", model, "--output-name", "z").assertError(2, "--output-name: " + outputs);
    }
}

package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Protos;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --output-name}: the part of a graph that the chosen outputs need. */
class OutputNameTest {
    private static final int T = 3, N = 2, I = 4, H = 5;

    @TempDir
    Path folder;

    /** One LSTM for each of two inputs; the second also has a gain with a default, and a branch within a node. */
    private Path model() {
        Random random = new Random(4);
        GraphProto.Builder negative = GraphProto.newBuilder().addOutput(floats("minus")),
                same = GraphProto.newBuilder().addOutput(floats("plus"));
        negative.addNode(node("Neg", "neg", List.of("b.y"), List.of("minus")));
        same.addNode(node("Mul", "mul", List.of("b.y", "scale"), List.of("plus")));
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", I))
                .addInput(floats("z", "time", "batch", I))
                .addInput(floats("gain", 1))
                .addInput(floats("scale", 1)) // only a branch reads it
                .addInput(value("flag", ElementType.BOOL))
                .addInitializer(constant("gain", scaled(random, 1)))
                .addNode(lstm("a", "x", H, List.of(), List.of("a.h")))
                .addNode(node("Mul", "m", List.of("z", "gain"), List.of("louder")))
                .addNode(lstm("b", "louder", H))
                .addNode(node(
                        "If",
                        "if",
                        List.of("flag"),
                        List.of("choice"),
                        graph("then_branch", negative),
                        graph("else_branch", same)))
                .addOutput(floats("a.y", "time", 1, "batch", H))
                .addOutput(floats("a.h", 1, "batch", H))
                .addOutput(floats("b.y", "time", 1, "batch", H))
                .addOutput(floats("choice", "time", 1, "batch", H))
                .addOutput(floats("z", "time", "batch", I)); // an input that is an output
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, I, H);
        return Protos.write(folder, graph);
    }

    private static List<String> names(List<GraphValue> values) {
        return values.stream().map(GraphValue::name).toList();
    }

    private static OnnxModel open(Path model, String... outputs) {
        return OnnxModel.open(model, GraphOptions.DEFAULT.withOutputs(List.of(outputs)));
    }

    @Test
    void onlyWhatChosenOutputsNeedIsAnInput() {
        Path model = model();
        assertEquals(
                List.of("x", "z", "scale", "flag"), names(OnnxModel.open(model).inputs()));
        assertEquals(List.of("gain"), names(OnnxModel.open(model).defaults()));
        assertEquals(List.of("x"), names(open(model, "a.h").inputs()));
        assertEquals(List.of(), names(open(model, "a.h").defaults()));
        assertEquals(List.of("z"), names(open(model, "b.y").inputs()));
        assertEquals(List.of("gain"), names(open(model, "b.y").defaults()));
        assertEquals(List.of("z", "scale", "flag"), names(open(model, "choice").inputs()));
        assertEquals(List.of("x", "z"), names(open(model, "b.y", "a.y").inputs()));
        assertEquals(List.of("z"), names(open(model, "z").inputs()));
        assertEquals(List.of(), open(model, "z").parts());
        assertEquals(1, open(model, "a.y").lstms().size());
        // What each run supplies remains an input, whether it is needed or not.
        GraphOptions options = GraphOptions.DEFAULT.withOutputs(List.of("a.h")).withSupplied(List.of("gain", "flag"));
        assertEquals(
                List.of("x", "gain", "flag"),
                names(OnnxModel.open(model, options).inputs()));
    }

    @Test
    void inputsThatNothingNeedsMayBeLeftOut() {
        Path model = model(), out = folder.resolve("y.npy"), all = folder.resolve("all.npz");
        Path x = NpyFiles.floats(folder.resolve("x.npy"), new float[T * N * I], T, N, I);
        Path z = NpyFiles.zeros(folder.resolve("z.npy"), T, N, I);
        Object[] run = {"run", model, "-o", out, "--overwrite", "--device", "java"};
        Cli.run(with(run, x, "--output-name", "a.y")).assertDone();
        float[] one = NpyFiles.read(out);
        Cli.run(with(run, "--input", "x=" + x, "--input", "z=" + z, "--output-name", "a.y"))
                .assertDone();
        assertArrayEquals(one, NpyFiles.read(out));
        // All outputs need all inputs.
        Cli.run("run", model, "--input", "x=" + x, "-o", all).assertError(2, model, "expected --input z=F.npy");
        Cli.run(with(run, "--input", "x=" + x, "--output-name", "b.y")).assertError(2, "expected --input z=F.npy");
        // A file that is given must fit, needed or not.
        Path wrong = NpyFiles.zeros(folder.resolve("wrong.npy"), T, N);
        Cli.run(with(run, "--input", "x=" + x, "--input", "z=" + wrong, "--output-name", "a.y"))
                .assertError(2, wrong, "input 'z'");
        Cli.run(with(run, z, "--input", "x=" + x, "--output-name", "a.y"))
                .assertError(2, z, "expected --input NAME=F for each of the inputs x");
        Path nothing = Protos.write(
                folder,
                GraphProto.newBuilder()
                        .addInput(floats("x", 1))
                        .addInitializer(constant("k", scaled(new Random(1), 1)))
                        .addNode(node("Abs", "abs", List.of("k"), List.of("y")))
                        .addOutput(floats("x", 1))
                        .addOutput(floats("y", 1)));
        Cli.run("run", nothing, "-o", folder.resolve("k.npy"), "--output-name", "y")
                .assertDone();
        Cli.run("run", nothing, x, "-o", folder.resolve("k2.npy"), "--output-name", "y")
                .assertError(2, x, "expected no file of an input, because " + nothing);
        // A state is an input, although the output doesn't need it.
        Path streaming = Path.of("src/test/resources/onnx/streaming.onnx");
        Path frames = NpyFiles.zeros(folder.resolve("frames.npy"), N, T, 4);
        Cli.run(
                        "run",
                        streaming,
                        frames,
                        "--frames",
                        "1",
                        "--state",
                        "h=h_out",
                        "--state",
                        "c=c_out",
                        "-o",
                        out,
                        "--overwrite",
                        "--output-name",
                        "p",
                        "--device",
                        "java")
                .assertDone();
        try (NpyArray p = NpyArray.open(out)) {
            assertArrayEquals(new long[] {N, T, 1}, p.shape());
        }
    }

    private static Object[] with(Object[] some, Object... more) {
        return Stream.concat(Arrays.stream(some), Arrays.stream(more)).toArray();
    }

    @Test
    void infoShowsThePart() {
        Path model = model();
        String text =
                Cli.run("info", model, "--output-name", "a.h").assertDone().out();
        assertTrue(text.contains("device: LSTM a"), text);
        for (String absent : List.of("z:", "gain", "scale", "flag", "LSTM b", "a.y:", "ONNX Runtime")) {
            assertFalse(text.contains(absent), absent + " in " + text);
        }
        String json = Cli.run("info", model, "--output-name", "b.y", "--output-name", "a.y", "--json")
                .assertDone()
                .out();
        assertEquals(
                List.of("a.y", "b.y"),
                JsonParser.parseString(json).getAsJsonObject().getAsJsonArray("outputs").asList().stream()
                        .map(output -> output.getAsJsonObject().get("name").getAsString())
                        .toList());
        Cli.run("info", Path.of("examples/sunspots/model.safetensors"), "--output-name", "y")
                .assertError(2, "--output-name applies to .onnx models only");
    }
}

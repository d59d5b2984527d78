package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code cellfuse run} and {@code info} on ONNX graphs. */
class RunGraphTest {
    private static final Path MODELS = Path.of("src/test/resources/onnx");

    @TempDir
    Path folder;

    static List<String> models() throws IOException {
        try (Stream<Path> files = Files.list(MODELS)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".onnx"))
                    .map(name -> name.substring(0, name.length() - 5))
                    .sorted()
                    .toList();
        }
    }

    private static Path model(String name) {
        return MODELS.resolve(name + ".onnx");
    }

    private static String array(String model, String name) {
        return MODELS.resolve(model + ".npz") + ":" + name;
    }

    private static float[] read(Path archive, String name) {
        try (NpzArchive file = NpzArchive.open(archive);
                NpyArray array = file.array(name)) {
            return array.readAll();
        }
    }

    private static long[] shape(Path archive, String name) {
        try (NpzArchive file = NpzArchive.open(archive);
                NpyArray array = file.array(name)) {
            return array.shape();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void givesPyTorchsResults(String name) {
        Path expected = MODELS.resolve(name + ".npz"), out = folder.resolve("out.npz");
        List<Object> arguments = new ArrayList<>(List.of("run", model(name), "-o", out, "--device", "java"));
        List<String> outputs = new ArrayList<>();
        try (NpzArchive file = NpzArchive.open(expected)) {
            OnnxModel graph = OnnxModel.open(model(name));
            graph.inputs()
                    .forEach(input ->
                            arguments.addAll(List.of("--input", input.name() + "=" + expected + ":" + input.name())));
            graph.outputs().forEach(output -> outputs.add(output.name()));
            assertTrue(file.names().containsAll(outputs));
        }
        Cli.run(arguments.toArray()).assertDone();
        try (NpzArchive file = NpzArchive.open(out)) {
            assertEquals(outputs, file.names());
        }
        for (String output : outputs) {
            assertArrayEquals(shape(expected, output), shape(out, output));
            assertArrayEquals(read(expected, output), read(out, output), 1e-5f, output);
        }
    }

    @Test
    void everyDeviceAndEveryBatchGiveTheSameBytes() throws IOException {
        Path whole = folder.resolve("whole.npz"), pieces = folder.resolve("pieces.npz");
        String[] inputs = {
            "--input",
            "tokens=" + array("tagger_packed", "tokens"),
            "--input",
            "lengths=" + array("tagger_packed", "lengths")
        };
        Cli.Result result = run("tagger_packed", inputs, "-o", whole).assertDone();
        assertTrue(result.err().contains("4 rows in 1 chunk of up to 4 rows"), result::toString);
        assertTrue(result.err().contains("LSTMs /lstm/LSTM, /lstm/LSTM_1: opencl:"), result::toString);
        for (int batch = 1; batch <= 3; batch++) {
            run("tagger_packed", inputs, "-o", pieces, "--overwrite", "--batch", batch, "--device", "java")
                    .assertDone();
            assertEquals(-1, Files.mismatch(whole, pieces), "batch " + batch);
        }
        assertEquals(
                "",
                run("tagger_packed", inputs, "-o", pieces, "--overwrite", "-q").err());
    }

    private static Cli.Result run(String model, String[] inputs, Object... more) {
        return Cli.run(Stream.concat(Stream.concat(Stream.of("run", model(model)), Stream.of(inputs)), Stream.of(more))
                .toArray());
    }

    @Test
    void aFileOfOneArray() {
        Path out = folder.resolve("scores.npy"), expected = MODELS.resolve("tagger.npz");
        Cli.run("run", model("tagger"), array("tagger", "tokens"), "-o", out, "--device", "java")
                .assertDone();
        try (NpyArray found = NpyArray.open(out)) {
            assertArrayEquals(read(expected, "scores"), found.readAll(), 1e-5f);
        }
        Path states = folder.resolve("h.npy");
        Object[] several = {"run", model("lstm"), array("lstm", "x"), "-o", states, "--device", "java"};
        Cli.run(several)
                .assertError(2, states, "expected a name that ends in .npz, or one --output-name", "y, h_n, c_n");
        Cli.run(Stream.concat(Stream.of(several), Stream.of("--output-name", "h_n"))
                        .toArray())
                .assertDone();
        try (NpyArray found = NpyArray.open(states)) {
            assertArrayEquals(read(MODELS.resolve("lstm.npz"), "h_n"), found.readAll(), 1e-5f);
        }
    }

    /** An output that nobody asked for isn't computed. Here it is text, which no array file can hold. */
    @Test
    void outputsThatAreNotWantedAreNotComputed() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", 3, 2, 4))
                .addNode(lstm("a", "x", 5))
                .addNode(node("Cast", "text", List.of("x"), List.of("label"), integer("to", 8)))
                .addOutput(floats("a.y", 3, 1, 2, 5))
                .addOutput(ValueInfoProto.newBuilder()
                        .setName("label")
                        .setType(TypeProto.newBuilder()
                                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(8))));
        weights(graph, "a", new Random(3), 1, 4, 5);
        Path model = Protos.write(folder, graph), out = folder.resolve("y.npy");
        Path x = NpyFiles.zeros(folder.resolve("x.npy"), 3, 2, 4);
        Cli.run("run", model, x, "-o", out, "--output-name", "a.y", "--device", "java")
                .assertDone();
        try (NpyArray found = NpyArray.open(out)) {
            assertArrayEquals(new long[] {3, 1, 2, 5}, found.shape());
        }
        assertEquals(
                List.of("a.y"),
                OnnxModel.open(model, GraphOptions.DEFAULT.withOutputs(List.of("a.y"))).outputs().stream()
                        .map(GraphValue::name)
                        .toList());
        Cli.run("run", model, x, "-o", folder.resolve("b.npy"), "--output-name", "b", "--device", "java")
                .assertError(2, model, "--output-name: expected an output", "one of a.y, label, found 'b'");
    }

    /** Frames {@code [5,7,4]}: streams, frames, features. */
    private Path frames() {
        Random random = new Random(5);
        float[] values = new float[5 * 7 * 4];
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) random.nextGaussian();
        }
        return NpyFiles.floats(folder.resolve("frames.npy"), values, 5, 7, 4);
    }

    @Test
    void framesOfManyStreamsInOrderAndInChunks() throws IOException {
        Path out = folder.resolve("out.npz"), again = folder.resolve("again.npz");
        Object[] arguments = {
            "run", model("streaming"), frames(), "--frames", "1", "--state", "h=h_out", "--state", "c=c_out", "-o"
        };
        Cli.Result result = with(arguments, out).assertDone();
        assertTrue(result.err().contains("5 streams of 7 frames in 1 chunk"), result::toString);
        assertArrayEquals(new long[] {5, 7, 1}, shape(out, "p"));
        assertArrayEquals(new long[] {2, 5, 6}, shape(out, "h_out"));
        with(arguments, again, "--batch", "2", "--device", "java").assertDone();
        assertEquals(-1, Files.mismatch(out, again));
        // One by one from the command line, the states by hand.
        float[] p = read(out, "p"), x;
        try (NpyArray all = NpyArray.open(folder.resolve("frames.npy"))) {
            x = all.readAll();
        }
        Path zeros = NpyFiles.zeros(folder.resolve("zeros.npy"), 2, 5, 6);
        String h = zeros.toString(), c = zeros.toString();
        for (int frame = 0; frame < 7; frame++) {
            float[] one = new float[5 * 4];
            for (int row = 0; row < 5; row++) {
                System.arraycopy(x, (row * 7 + frame) * 4, one, row * 4, 4);
            }
            Path step = folder.resolve("step" + frame + ".npz");
            Cli.run(
                            "run",
                            model("streaming"),
                            "--input",
                            "frame=" + NpyFiles.floats(folder.resolve("one.npy"), one, 5, 4),
                            "--input",
                            "h=" + h,
                            "--input",
                            "c=" + c,
                            "-o",
                            step,
                            "--device",
                            "java")
                    .assertDone();
            float[] found = read(step, "p");
            for (int row = 0; row < 5; row++) {
                assertEquals(found[row], p[row * 7 + frame], "row " + row + ", frame " + frame);
            }
            h = step + ":h_out";
            c = step + ":c_out";
        }
        assertArrayEquals(read(out, "h_out"), read(folder.resolve("step6.npz"), "h_out"));
    }

    /**
     * A model as PyTorch exports it, whose LSTMs are in the branches of an If on the sampling rate, fed in pieces as
     * PyTorch was.
     */
    @Test
    void framesOfAVoiceActivityModel() throws IOException {
        Path out = folder.resolve("out.npz"), again = folder.resolve("again.npz");
        Object[] arguments = {
            "run",
            model("voice"),
            "--input",
            "x=" + array("voice", "frames"),
            "--set",
            "rate=16000",
            "--frames",
            "x=1:32",
            "--state",
            "h=h_out",
            "--state",
            "c=c_out",
            "-o"
        };
        Cli.Result result = with(arguments, out).assertDone();
        assertTrue(result.err().contains("LSTMs /fast/LSTM, /fast/LSTM_1: "), result::toString);
        assertArrayEquals(new long[] {3, 5}, shape(out, "p"));
        assertArrayEquals(read(MODELS.resolve("voice.npz"), "frames_p"), read(out, "p"), 1e-5f);
        with(arguments, again, "--device", "java").assertDone();
        assertEquals(-1, Files.mismatch(out, again));
        // Without the rate nothing tells which LSTMs are needed.
        Cli.Result info = Cli.run("info", model("voice")).assertDone();
        assertTrue(
                info.out()
                        .contains("LSTM /slow/LSTM runs in ONNX Runtime: it is in a branch of If /If, whose condition"
                                + " depends on the inputs"),
                info::toString);
    }

    private static Cli.Result with(Object[] arguments, Object... more) {
        return Cli.run(Stream.concat(Stream.of(arguments), Stream.of(more)).toArray());
    }

    @Test
    void framesWithinAnAxisAndAStateToBeginWith() {
        // Twice the frames in one axis of the input: the model says 3 of each call, and the file has 6 or 7.
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", 3))
                .addInput(floats("s", "batch"))
                .addOutput(floats("sum", "batch"))
                .addOutput(floats("both", "batch", 3))
                .addOutput(floats("so", "batch"))
                .addInitializer(Protos.longs("one", 1))
                .addNode(node("ReduceSum", "r", List.of("x", "one"), List.of("sum"), integer("keepdims", 0)))
                .addNode(node("Neg", "n", List.of("x"), List.of("both")))
                .addNode(node("Add", "a", List.of("sum", "s"), List.of("so")));
        Path model = Protos.write(folder, graph), out = folder.resolve("out.npz");
        Path x = NpyFiles.floats(folder.resolve("x.npy"), new float[] {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60}, 2, 6);
        Path s = NpyFiles.floats(folder.resolve("s.npy"), new float[] {0.5f, 0.25f}, 2);
        String data = "x=" + x, state = "s=" + s;
        Cli.Result result = Cli.run(
                        "run",
                        model,
                        "--input",
                        data,
                        "--input",
                        state,
                        "--frames",
                        "x=-1",
                        "--state",
                        "s=so",
                        "-o",
                        out)
                .assertDone();
        assertTrue(result.err().contains("runs on the device: the whole graph runs in ONNX Runtime"), result::toString);
        assertArrayEquals(new float[] {6, 15, 60, 150}, read(out, "sum")); // [2,2]: a new last axis
        assertArrayEquals(new long[] {2, 2}, shape(out, "sum"));
        assertArrayEquals(new long[] {2, 6}, shape(out, "both"));
        assertArrayEquals(new float[] {-1, -2, -3, -4, -5, -6, -10, -20, -30, -40, -50, -60}, read(out, "both"));
        assertArrayEquals(new float[] {21.5f, 210.25f}, read(out, "so"));
        Path odd = NpyFiles.zeros(folder.resolve("odd.npy"), 2, 7);
        Cli.run("run", model, odd, "--frames", "1", "--state", "s=so", "-o", out, "--overwrite")
                .assertError(2, odd, "--frames: expected a multiple of 3 along axis 1", "[2, 7]");
    }

    @Test
    void numbersOfEveryKindComeAndGoInTheGraphsTypes() throws IOException {
        GraphProto.Builder graph = GraphProto.newBuilder();
        List<ElementType> types = List.of(
                ElementType.FLOAT32,
                ElementType.FLOAT64,
                ElementType.FLOAT16,
                ElementType.BFLOAT16,
                ElementType.INT8,
                ElementType.INT16,
                ElementType.INT32,
                ElementType.INT64,
                ElementType.UINT8,
                ElementType.BOOL);
        for (ElementType type : types) {
            graph.addInput(value("in/" + type, type, "n"))
                    .addOutput(value("out/" + type, type, "n"))
                    .addNode(node("Identity", type.toString(), List.of("in/" + type), List.of("out/" + type)));
        }
        Path model = Protos.write(folder, graph), ints = NpyFiles.ints(folder.resolve("i.npy"), 1, 0, 1);
        Path out = folder.resolve("out.npz");
        List<Object> arguments = new ArrayList<>(List.of("run", model, "-o", out));
        types.forEach(type -> arguments.addAll(List.of("--input", "in/" + type + "=" + ints)));
        Cli.run(arguments.toArray()).assertDone();
        try (NpzArchive file = NpzArchive.open(out)) {
            for (ElementType type : types) {
                try (NpyArray array = file.array("out_" + type)) {
                    assertEquals(type == ElementType.BFLOAT16 ? ElementType.FLOAT32 : type, array.type());
                    assertArrayEquals(new float[] {1, 0, 1}, array.readAll());
                }
            }
        }
        // Floats don't become integers, nor large integers small ones.
        Path floats = NpyFiles.zeros(folder.resolve("f.npy"), 3),
                large = NpyFiles.ints(folder.resolve("l.npy"), 300, 0, 0);
        Object[] last = arguments.toArray();
        last[last.length - 1] = "in/bool=" + floats;
        with(last, "--overwrite").assertError(2, floats, "dtype: expected bool, found float32", "astype(np.bool)");
        last[last.length - 1] = "in/bool=" + ints;
        last[last.length - 3] = "in/uint8=" + large;
        with(last, "--overwrite", "-q").assertError(2, large, "expected values that uint8 holds, found 300");
    }

    @Test
    void inputsBoundToConstants() {
        GraphProto.Builder then = GraphProto.newBuilder().addOutput(floats("t")),
                otherwise = GraphProto.newBuilder().addOutput(floats("e"));
        Random random = new Random(3);
        for (GraphProto.Builder branch : List.of(then, otherwise)) {
            weights(branch, "a", random, 1, 2, 3);
            String output = branch == then ? "t" : "e";
            branch.addNode(lstm("a", "x", 3)).addNode(node("Identity", "i", List.of("a.y"), List.of(output)));
        }
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", 2))
                .addInput(value("sr", ElementType.INT64))
                .addOutput(floats("y", "time", 1, "batch", 3))
                .addInitializer(Protos.constant("16k", Tensor.of(new long[] {16000})))
                .addNode(node("Equal", "eq", List.of("sr", "16k"), List.of("is")))
                .addNode(node(
                        "If",
                        "if",
                        List.of("is"),
                        List.of("y"),
                        Protos.graph("then_branch", then),
                        Protos.graph("else_branch", otherwise)));
        Path model = Protos.write(folder, graph), out = folder.resolve("y.npy");
        Path x = NpyFiles.floats(folder.resolve("x.npy"), new float[] {1, 2, 3, 4}, 2, 1, 2);
        Cli.Result free = Cli.run("info", model).assertDone();
        assertTrue(free.out().contains("LSTM a runs in ONNX Runtime: it is in a branch of If if"), free::toString);
        Cli.Result bound = Cli.run("info", model, "--set", "sr=16000", "--batch", 2, "--steps", 3)
                .assertDone();
        assertTrue(bound.out().contains("device: LSTM a"), bound::toString);
        assertTrue(bound.out().contains("forward 2 -> 3, H = 3, 84 parameters, 120 FLOP"), bound::toString);
        assertTrue(
                bound.out().contains("2 rows x 3 steps: LSTM input 48 B, output 72 B, states 48 B, 720 FLOP"),
                bound::toString);
        assertTrue(!bound.out().contains("sr"), bound::toString);
        String json = Cli.run("info", model, "--set", "sr=16000", "--json")
                .assertDone()
                .out();
        assertTrue(json.contains("\"format\": \"cellfuse-graph-info-1\""), json);
        float[] results = new float[2 * 3], others = new float[2 * 3];
        Cli.run("run", model, x, "--set", "sr=16000", "-o", out, "--device", "java")
                .assertDone();
        read(out, results);
        Cli.run("run", model, x, "--set", "sr=8000", "-o", out, "--device", "java", "--overwrite")
                .assertDone();
        read(out, others);
        assertTrue(results[0] != others[0]);
        Path rate = folder.resolve("rate.npy");
        Cli.run("run", model, x, "--set", "sr=16000.5", "-o", rate)
                .assertError(2, "--set sr: expected int64, found '16000.5'");
        Cli.run("run", model, x, "--set", "sr=1,2", "-o", rate).assertError(2, "--set sr", "int64 []", "2 numbers");
        Cli.run("run", model, x, "--set", "rate=1", "-o", rate)
                .assertError(2, "--set: expected an input of " + model + ", one of x, sr, found 'rate'");
        Cli.run("run", model, x, "--set", "sr", "-o", rate).assertError(2, "--set: expected NAME=VALUE, found 'sr'");
    }

    private static void read(Path file, float[] values) {
        try (NpyArray array = NpyArray.open(file)) {
            System.arraycopy(array.readAll(), 0, values, 0, values.length);
        }
    }

    @Test
    void refusesWhatDoesNotFitAndWritesNothing() {
        Path tagger = model("tagger"), out = folder.resolve("out.npz");
        String tokens = array("tagger", "tokens");
        Path wrong = NpyFiles.zeros(folder.resolve("wrong.npy"), 3);
        Path extra = NpyFiles.ints(folder.resolve("extra.npy"), 1, 2, 3);
        String before = NpyFiles.names(folder);
        Object[][] cases = {
            {new Object[] {}, "input 'tokens', int64 [batch, time]: expected --input tokens=F.npy"},
            {new Object[] {wrong}, "int64 [batch, time]", "found shape [3]"},
            {new Object[] {extra}, "int64 [batch, time]", "found shape [3]"},
            {new Object[] {"--input", "words=" + tokens}, "input", "tokens"},
            {new Object[] {"--input", "tokens"}, "--input: expected NAME=F, found 'tokens'"},
            {new Object[] {"--input", "tokens=" + tokens, tokens}, "--input NAME=F"},
            {
                new Object[] {"--input", "tokens=" + tokens, "--input", "tokens=" + tokens},
                "--input given twice for tokens"
            },
            {new Object[] {tokens, "--output-name", "tags"}, "one of scores, found 'tags'"},
            {new Object[] {tokens, "--state", "tokens=scores"}, "--state requires --frames"},
            {new Object[] {tokens, "--state", "a=scores", "--frames", "0"}, "one of tokens, found 'a'"},
            {new Object[] {tokens, "--frames", "x"}, "--frames: expected [NAME=]AXIS[:SIZE[:HOP]], found 'x'"},
            {new Object[] {tokens, "--frames", "3"}, "--frames: expected an axis from -2 to 1", "found 3"},
            {new Object[] {tokens, "--frames", "words=0"}, "one of tokens, found 'words'"},
            {new Object[] {tokens, "--frames", "1:4"}, "--frames: expected a multiple of 4 along axis 1", "[4, 6]"},
            {
                new Object[] {tokens, "--lengths", extra},
                "--lengths: expected a bare LSTM, or a graph that runs frame by frame"
            },
            {new Object[] {tokens, "--h0", extra}, "--h0 applies to bare LSTMs only"},
            {new Object[] {tokens, "--layout", "NTC"}, "--layout applies to bare LSTMs only"},
            {new Object[] {tokens, "--prefix", "a"}, "--prefix applies to bare LSTMs only"},
            {new Object[] {tokens, "--batch", "0"}, "--batch: expected at least 1 row, found 0"},
            {new Object[] {tokens, "--device", "opencl:9.9"}, "opencl:9.9"},
        };
        for (Object[] one : cases) {
            Object[] start = {"run", tagger, "-o", out};
            Object[] parts = Stream.of(one).skip(1).toArray();
            with(start, (Object[]) one[0]).assertError(2, parts);
            assertEquals(before, NpyFiles.names(folder));
        }
        Cli.Result whole =
                Cli.run("run", model("lstm_static"), array("lstm_static", "x"), "-o", out, "--device", "java");
        assertTrue(whole.assertDone().err().contains("cellfuse: all in one call"), whole::toString);
        assertTrue(whole.err().contains("wrote " + out + " in "), whole::toString);
        assertTrue(out.toFile().delete());
        Cli.run("run", model("lstm_static"), array("lstm_static", "x"), "-o", out, "--batch", 2)
                .assertError(
                        2, "--batch: expected a model whose rows don't depend on each other", model("lstm_static"));
        Cli.run("verify", tagger).assertError(2, tagger, "tokens", "expected --input tokens=F.npy");
        Cli.run("info", tagger, "--prefix", "p").assertError(2, "--prefix applies to bare LSTMs only");
        Path plain = Path.of("examples/sunspots/model.safetensors"), input = Path.of("examples/sunspots/input.npy");
        for (String option : List.of("--input", "--set", "--state")) {
            Cli.run("run", plain, input, "-o", out, option, "a=b")
                    .assertError(2, option + " applies to .onnx models only");
        }
        Cli.run("info", plain, "--set", "a=1").assertError(2, "--set applies to .onnx models only");
        assertEquals(before, NpyFiles.names(folder));
    }

    @Test
    void valuesThatAModelRefusesLeaveNothingBehind() {
        Path tokens = NpyFiles.ints(folder.resolve("t.npy"), 1, 2, 99), out = folder.resolve("out.npy");
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(value("t", ElementType.INT64, "n"))
                .addOutput(floats("y", "n"))
                .addInitializer(Protos.constant("table", Tensor.of(new float[5], 5)))
                .addNode(node("Gather", "embedding", List.of("table", "t"), List.of("y")));
        Path model = Protos.write(folder, graph);
        String before = NpyFiles.names(folder);
        Cli.run("run", model, tokens, "-o", out, "-q").assertError(2, model, "embedding", "99");
        assertEquals(before, NpyFiles.names(folder));
    }
}

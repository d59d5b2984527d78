package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.graph.Tensors;
import io.github.cellfuse.onnx.shape.RowAxes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The number of rows at a time, whoever chooses it, changes no byte of the result. */
class PiecesTest {
    private static final Path MODELS = Path.of("src/test/resources/onnx");
    private static final int ROWS = 37;

    /** A heap of which a quarter, the room for a chunk, is less than the inputs below take. */
    private static final String SMALL_HEAP = "-Xmx64m";

    @TempDir
    Path folder;

    private final Random random = new Random(33);

    static List<String> models() throws IOException {
        return RunGraphTest.models();
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyModel(String name) throws IOException {
        Path path = MODELS.resolve(name + ".onnx");
        OnnxModel model = OnnxModel.open(path);
        Map<String, Tensor> arrays = Tensors.of(MODELS.resolve(name + ".npz")), inputs = new LinkedHashMap<>();
        Optional<RowAxes> axes = model.rows().axes();
        model.inputs().forEach(input -> {
            Optional<Integer> axis = axes.map(all -> all.inputs().get(input.name()));
            Tensor own = arrays.get(input.name());
            inputs.put(input.name(), axis.isEmpty() ? own : moreRows(own, axis.get()));
        });
        GraphRun run = new GraphRun(folder, path, inputs);
        if (axes.isEmpty()) {
            run.assertRefused(
                    List.of("--batch", 2), "--batch: expected a model whose rows don't depend on each other", path);
            return;
        }
        GraphRun.Result whole = run.run();
        assertTrue(whole.said().contains("37 rows in 1 chunk of up to 37 rows"), whole.said());
        for (int batch : new int[] {1, 2, 5, 16, 36}) {
            GraphRun.Result pieces = run.run("--batch", batch);
            Map<String, Tensor> found = pieces.tensors();
            whole.tensors()
                    .forEach((output, value) ->
                            Tensors.assertSame(output + ", --batch " + batch, value, found.get(output)));
            assertEquals(-1, Files.mismatch(whole.file(), pieces.file()));
        }
    }

    /**
     * Rows of a tensor in another order and with repetitions; floats are moved a little, so that no two are the same.
     */
    private Tensor moreRows(Tensor tensor, int axis) {
        long[] shape = tensor.shape();
        long count = shape[axis];
        shape[axis] = ROWS;
        int width = tensor.type().bytes();
        ByteBuffer more = ByteBuffer.allocateDirect(
                        (int) ArrayBlock.whole(shape).elementCount() * width)
                .order(ByteOrder.nativeOrder());
        for (int row = 0; row < ROWS; row++) {
            ByteBuffer part =
                    OneRowTest.part(tensor, axis, (row * 7L + 3) % count, 1).bytes();
            float noise = random.nextFloat() / 8;
            ArrayBlock.whole(shape).part(axis, row, 1).forEach((inArray, inBlock, some) -> {
                for (int k = 0; k < some; k++) {
                    int from = (inBlock + k) * width, to = ((int) inArray + k) * width;
                    if (tensor.type() == ElementType.FLOAT32) {
                        more.putFloat(to, part.getFloat(from) + noise);
                    } else {
                        more.put(to, part, from, width);
                    }
                }
            });
        }
        return new Tensor(tensor.type(), more, shape);
    }

    /**
     * Another JVM with a small heap gives the same bytes.
     *
     * @param said a pattern that what it says must contain
     */
    private void assertSameWithASmallHeap(String said, Object... arguments) throws Exception {
        Path here = folder.resolve("here.npz"), there = folder.resolve("there.npz");
        Cli.Result result = Cli.run(with(here, arguments)).assertDone();
        assertTrue(result.err().contains("all in one call") || result.err().contains("in 1 chunk"), result::toString);
        String[] words = Stream.of(with(there, arguments)).map(Object::toString).toArray(String[]::new);
        ChildJvm.Result child = ChildJvm.start(Map.of(), List.of(SMALL_HEAP), CellFuse.class, words)
                .await(120);
        assertEquals(0, child.exit(), child::toString);
        assertTrue(Pattern.compile(said).matcher(child.err()).find(), child::toString);
        assertEquals(-1, Files.mismatch(here, there), child::toString);
    }

    private static Object[] with(Path out, Object... arguments) {
        List<Object> all = new ArrayList<>(List.of("run", "-o", out, "--device", "java"));
        all.addAll(List.of(arguments));
        return all.toArray();
    }

    @Test
    void manyRowsOfATagger() throws Exception {
        int rows = 20_000, steps = 6;
        long[] tokens = random.longs((long) rows * steps, 0, 10).toArray();
        Path file = NpyFiles.write(folder.resolve("tokens.npy"), Tensor.of(tokens, rows, steps));
        assertSameWithASmallHeap("20000 rows in \\d+ chunks of up to ", MODELS.resolve("tagger.onnx"), file);
    }

    /** ONNX Runtime matches the command line with regular expressions, which recurse for each character. */
    @Test
    void aLongCommandLine() throws Exception {
        Path out = folder.resolve("out.npz"), tagger = MODELS.resolve("tagger.onnx");
        String tokens = MODELS.resolve("tagger.npz") + ":tokens";
        ChildJvm.Result child = ChildJvm.start(
                        Map.of(),
                        List.of("-Dlong=" + "x".repeat(100_000)),
                        CellFuse.class,
                        Stream.of(with(out, tagger, tokens))
                                .map(Object::toString)
                                .toArray(String[]::new))
                .await(120);
        assertEquals(0, child.exit(), child::toString);
    }

    @Test
    void manyStreamsOfAVoiceActivityModel() throws Exception {
        int streams = 60_000, frames = 2;
        Path file = NpyFiles.write(folder.resolve("x.npy"), Tensors.random(random, streams, frames * 32));
        assertSameWithASmallHeap(
                "60000 streams of 2 frames in \\d+ chunks of up to ",
                MODELS.resolve("voice.onnx"),
                file,
                "--set",
                "rate=16000",
                "--frames",
                "1:32",
                "--state",
                "h=h_out",
                "--state",
                "c=c_out");
    }

    private Path model(GraphProto.Builder graph) {
        weights(graph, "a", new Random(8), 1, 5, 8);
        return Protos.write(folder, graph.addInitializer(longs("one", 1)).addInitializer(longs("both", 1, 2)));
    }

    @Test
    void rowsThatInteract() throws Exception {
        Path model = model(GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", 5))
                .addOutput(floats("y", "time", "batch", 8))
                .addNode(node("ReduceMean", "mean", List.of("x"), List.of("m"), integers("axes", 1L)))
                .addNode(node("Sub", "minus", List.of("x", "m"), List.of("d")))
                .addNode(lstm("a", "d", 8))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("y"))));
        Path file = NpyFiles.write(folder.resolve("x.npy"), Tensors.random(random, 4, 30_000, 5));
        assertSameWithASmallHeap("all in one call", model, file);
    }

    @Test
    void timeThatIsNamedLikeABatch() throws Exception {
        Path model = model(GraphProto.newBuilder()
                .addInput(floats("x", "batch_size", 5))
                .addOutput(floats("y", "batch_size", 8))
                .addNode(node("Unsqueeze", "u", List.of("x", "one"), List.of("x3")))
                .addNode(lstm("a", "x3", 8))
                .addNode(node("Squeeze", "s", List.of("a.y", "both"), List.of("y"))));
        Path file = NpyFiles.write(folder.resolve("x.npy"), Tensors.random(random, 300_000, 5));
        assertSameWithASmallHeap("all in one call", model, file);
    }
}

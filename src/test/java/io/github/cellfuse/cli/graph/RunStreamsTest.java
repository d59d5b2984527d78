package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code cellfuse run} on streams of frames: overlapping frames, unequal lengths, many frames at once. */
class RunStreamsTest {
    private static final int N = 4, FRAMES = 7, SIZE = 6, HOP = 4, H = 5;

    @TempDir
    Path folder;

    private final Random random = new Random(9);

    /**
     * A streaming model: frames {@code [N,SIZE]}, one step of an LSTM for each, and states.
     *
     * @param fades whether a state is multiplied from frame to frame, which a sequence of an LSTM doesn't do
     */
    private Path model(boolean fades) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", SIZE))
                .addInput(floats("h", 1, "batch", H))
                .addInput(floats("c", 1, "batch", H))
                .addOutput(floats("p", "batch", H))
                .addOutput(floats(fades ? "faded" : "hn", 1, "batch", H))
                .addOutput(floats("cn", 1, "batch", H))
                .addInitializer(longs("zero", 0))
                .addInitializer(constant("half", Tensor.of(new float[] {0.5f})));
        weights(graph, "a", random, 1, SIZE, H);
        graph.addNode(node("Unsqueeze", "u", List.of("x", "zero"), List.of("xt")))
                .addNode(lstm("a", "xt", H, List.of("", "h", "c"), List.of("hn", "cn")))
                .addNode(node("Squeeze", "s", List.of("hn", "zero"), List.of("p")));
        if (fades) {
            graph.addNode(node("Mul", "fade", List.of("hn", "half"), List.of("faded")));
        }
        return Protos.write(folder, graph);
    }

    private float[] numbers(int count) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Cli.Result run(Path model, Path x, String frames, boolean fades, Path out, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                "run",
                model,
                "--input",
                "x=" + x,
                "--frames",
                frames,
                "--state",
                fades ? "h=faded" : "h=hn",
                "--state",
                "c=cn",
                "-o",
                out,
                "--overwrite"));
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray()).assertDone();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void overlappingFramesBeginWithZeros(boolean fades) throws IOException {
        Path model = model(fades), out = folder.resolve("out.npz"), byHand = folder.resolve("byHand.npz");
        float[] sound = numbers(N * FRAMES * HOP), windows = new float[N * FRAMES * SIZE];
        for (int row = 0; row < N; row++) {
            for (int frame = 0; frame < FRAMES; frame++) {
                for (int k = 0; k < SIZE; k++) {
                    int at = (frame + 1) * HOP - SIZE + k;
                    windows[(row * FRAMES + frame) * SIZE + k] = at < 0 ? 0 : sound[row * FRAMES * HOP + at];
                }
            }
        }
        Path x = NpyFiles.floats(folder.resolve("x.npy"), sound, N, FRAMES * HOP);
        Path cut = NpyFiles.floats(folder.resolve("cut.npy"), windows, N, FRAMES, SIZE);
        Cli.Result result = run(model, x, "x=1:" + SIZE + ":" + HOP, fades, out);
        run(model, cut, "x=1", fades, byHand);
        for (String name : List.of("p", fades ? "faded" : "hn", "cn")) {
            assertArrayEquals(read(byHand, name), read(out, name), name);
        }
        String how = fades ? "frame by frame: node 'fade' (Mul) computes with a state" : "up to 7 frames at once";
        assertTrue(result.err().contains(how), result::toString);
        for (int batch = 1; batch < N; batch++) {
            run(model, x, "x=1:" + SIZE + ":" + HOP, fades, byHand, "--batch", batch, "--device", "java");
            assertEquals(-1, Files.mismatch(out, byHand), "batch " + batch);
        }
    }

    /** Each stream gives what it gives alone with its own frames, and zeros after them. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void streamsOfUnequalLengths(boolean fades) {
        int[] lengths = {7, 0, 3, 5};
        Path model = model(fades), out = folder.resolve("out.npz"), alone = folder.resolve("alone.npz");
        float[] values = numbers(N * FRAMES * SIZE);
        Path x = NpyFiles.floats(folder.resolve("x.npy"), values, N, FRAMES, SIZE);
        Path counts = NpyFiles.ints(folder.resolve("lengths.npy"), lengths);
        run(model, x, "x=1", fades, out, "--lengths", counts, "--batch", "3");
        float[] p = read(out, "p"), c = read(out, "cn"), h = read(out, fades ? "faded" : "hn");
        for (int row = 0; row < N; row++) {
            float[] expected = new float[FRAMES * H], expectedC = new float[H], expectedH = new float[H];
            if (lengths[row] > 0) {
                float[] own = Arrays.copyOfRange(values, row * FRAMES * SIZE, (row * FRAMES + lengths[row]) * SIZE);
                Path part = NpyFiles.floats(folder.resolve("own.npy"), own, 1, lengths[row], SIZE);
                run(model, part, "x=1", fades, alone);
                System.arraycopy(read(alone, "p"), 0, expected, 0, lengths[row] * H);
                expectedC = read(alone, "cn");
                expectedH = read(alone, fades ? "faded" : "hn");
            }
            assertArrayEquals(expected, Arrays.copyOfRange(p, row * FRAMES * H, (row + 1) * FRAMES * H), "row " + row);
            assertArrayEquals(expectedC, Arrays.copyOfRange(c, row * H, (row + 1) * H), "c of row " + row);
            assertArrayEquals(expectedH, Arrays.copyOfRange(h, row * H, (row + 1) * H), "h of row " + row);
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        Path model = model(false), out = folder.resolve("out.npz");
        Path x = NpyFiles.zeros(folder.resolve("x.npy"), N, 29);
        Path counts = NpyFiles.ints(folder.resolve("lengths.npy"), 1, 2, 8, 4);
        Path few = NpyFiles.ints(folder.resolve("few.npy"), 1, 2);
        Path frames = NpyFiles.zeros(folder.resolve("frames.npy"), N, FRAMES, SIZE);
        Object[] states = {"--state", "h=hn", "--state", "c=cn", "-o", out};
        Object[][] cases = {
            {"a hop of at most the size, 6, found '1:6:7'", x, "--frames", "1:6:7"},
            {"expected [NAME=]AXIS[:SIZE[:HOP]], found '1:6:0'", x, "--frames", "1:6:0"},
            {"expected a multiple of 4 along axis 1, found shape [4, 29]", x, "--frames", "1:6:4"},
            {"lengths[2]: expected 0 to 7 frames, found 8", frames, "--frames", "1", "--lengths", counts},
            {"expected shape [4], one number of frames for each stream", frames, "--frames", "1", "--lengths", few},
        };
        for (Object[] one : cases) {
            List<Object> arguments = new ArrayList<>(List.of("run", model));
            arguments.addAll(Arrays.asList(one).subList(1, one.length));
            arguments.addAll(List.of(states));
            Cli.run(arguments.toArray()).assertError(2, one[0]);
        }
    }

    private static float[] read(Path archive, String name) {
        try (NpzArchive file = NpzArchive.open(archive);
                NpyArray array = file.array(name)) {
            return array.readAll();
        }
    }
}

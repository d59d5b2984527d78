package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --output-name} of a bare LSTM: which arrays the file holds, and what is in them. */
class RunOutputNamesTest {
    private static final Path EXAMPLE = Path.of("examples", "sunspots");
    private static final Path MODEL = EXAMPLE.resolve("model.safetensors");
    private static final Path INPUT = EXAMPLE.resolve("input.npy");
    private static final List<String> NAMES = List.of("y", "last", "h_n", "c_n");

    @TempDir
    private Path folder;

    static Stream<Arguments> cases() {
        return TestEngines.exact().stream()
                .map(Device::toString)
                .flatMap(device -> Stream.of(Direction.FORWARD, Direction.BIDIRECTIONAL)
                        .flatMap(direction -> Stream.of(Layout.values())
                                .flatMap(layout -> Stream.of(false, true)
                                        .map(projected -> Arguments.of(device, direction, layout, projected)))));
    }

    /** Rows of every length, 0 too, with states before the first step. */
    @ParameterizedTest
    @MethodSource("cases")
    void everyArrayAloneAndAllTogether(String device, Direction direction, Layout layout, boolean projected)
            throws IOException {
        long seed = TestEngines.seed(40);
        Random random = new Random(seed);
        LstmModel model = RandomLstm.model(random, direction, 2, 3, 6, projected, true);
        int rows = 10, steps = 5;
        int[] lengths = {5, 0, 1, 2, 0, 3, 4, 5, 0, 1};
        float[] x = RandomLstm.values(random, rows * steps * 3, 2);
        LstmInput input = (layout == Layout.BATCH_MAJOR
                        ? LstmInput.batchMajor(x, rows, steps)
                        : LstmInput.timeMajor(x, rows, steps))
                .withInitialState(RandomLstm.state(random, model, rows))
                .withLengths(lengths);
        LstmOutput expected;
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                LstmSession session = engine.newSession()) {
            expected = session.run(input);
        }
        Map<String, float[]> values = Map.of(
                "y", expected.y().array(),
                "last", last(input, expected, model.outputSize()),
                "h_n", expected.finalState().h(),
                "c_n", expected.finalState().c());
        RunFiles files = RunFiles.write(new RandomLstm(seed, model, input), folder);
        for (int batch : new int[] {3, 64}) {
            for (String name : NAMES) {
                Path alone = folder.resolve(name + ".npy");
                files.run("-o", alone, "--overwrite", "--device", device, "--batch", batch, "--output-name", name)
                        .assertDone();
                Bits.assertSame(name + ", --batch " + batch, values.get(name), NpyFiles.read(alone));
            }
        }
        int directions = direction.count();
        assertArrayEquals(new long[] {rows, model.outputSize()}, NpyFiles.shape(folder.resolve("last.npy")));
        assertArrayEquals(
                new long[] {2L * directions, rows, model.last().stateSize()},
                NpyFiles.shape(folder.resolve("h_n.npy")));
        assertArrayEquals(new long[] {2L * directions, rows, 6}, NpyFiles.shape(folder.resolve("c_n.npy")));

        List<Object> all = new ArrayList<>(List.of("-o", folder.resolve("all.npz"), "--device", device));
        for (String name : List.of("c_n", "last", "y", "h_n", "last")) {
            all.addAll(List.of("--output-name", name));
        }
        files.run(all.toArray()).assertDone();
        assertEquals(List.of("c_n", "last", "y", "h_n"), names("all.npz"));
        for (String name : NAMES) {
            Bits.assertSame(name, values.get(name), NpyFiles.read(folder.resolve("all.npz") + ":" + name));
        }
        // Without y, a forward model copies no output at all.
        files.run("-o", folder.resolve("two.npz"), "--output-name", "last", "--output-name", "c_n", "--batch", 4)
                .assertDone();
        assertEquals(List.of("last", "c_n"), names("two.npz"));
        Bits.assertSame("last", values.get("last"), NpyFiles.read(folder.resolve("two.npz") + ":last"));
        Bits.assertSame("c_n", values.get("c_n"), NpyFiles.read(folder.resolve("two.npz") + ":c_n"));
    }

    /** As NumPy would: {@code y[row, length - 1]}, or zeros. */
    private static float[] last(LstmInput input, LstmOutput output, int width) {
        float[] last = new float[input.rows() * width];
        for (int row = 0; row < input.rows(); row++) {
            int length = input.lengths()[row];
            for (int k = 0; k < width && length > 0; k++) {
                last[row * width + k] = output.y().get(input.offset(row, length - 1, width) + k);
            }
        }
        return last;
    }

    private List<String> names(String archive) {
        try (NpzArchive opened = NpzArchive.open(folder.resolve(archive))) {
            return List.copyOf(opened.names());
        }
    }

    @Test
    void withoutANameAFileHoldsYAndAnArchiveTheStatesAsWell() throws IOException {
        for (Path out : List.of(folder.resolve("y.npy"), folder.resolve("out.npz"))) {
            Cli.run("run", MODEL, INPUT, "-o", out, "--device", "java").assertDone();
        }
        assertEquals(List.of("y", "h_n", "c_n"), names("out.npz"));
        Cli.run("run", MODEL, INPUT, "-o", folder.resolve("same.npy"), "--device", "java", "--output-name", "y")
                .assertDone();
        assertEquals(-1, Files.mismatch(folder.resolve("y.npy"), folder.resolve("same.npy")));
        assertArrayEquals(NpyFiles.read(folder.resolve("out.npz") + ":y"), NpyFiles.read(folder.resolve("y.npy")), 0f);
    }

    @Test
    void aSingleSequenceHasNoBatchDimension() {
        for (Direction direction : List.of(Direction.FORWARD, Direction.BIDIRECTIONAL)) {
            LstmModel model = RandomLstm.model(new Random(5), direction, 1, 2, 4, false, true);
            Path weights = folder.resolve(direction + ".safetensors"), last = folder.resolve(direction + ".npy");
            PyTorchLstm.save(model, weights, false, "");
            Path x = NpyFiles.floats(folder.resolve("x.npy"), RandomLstm.values(new Random(6), 14, 1), 7, 2);
            Path y = folder.resolve(direction + "_y.npy");
            Cli.run("run", weights, x, "-o", y, "--device", "java").assertDone();
            Cli.run("run", weights, x, "-o", last, "--device", "java", "--output-name", "last")
                    .assertDone();
            int width = model.outputSize();
            float[] all = NpyFiles.read(y);
            assertArrayEquals(new long[] {width}, NpyFiles.shape(last));
            Bits.assertSame("last", Arrays.copyOfRange(all, 6 * width, 7 * width), NpyFiles.read(last));
        }
    }

    /** Layers of different sizes; a last layer that reads backwards, whose last output isn't its state. */
    @ParameterizedTest
    @ValueSource(strings = {"stack_3.keras", "mixed_directions_3.keras", "backwards_2.h5", "backwards_below_3.keras"})
    void theLastOutputIsThatOfTheLastLayerWhateverIsBelow(String file) {
        Path model = Path.of("src", "test", "resources", "keras", file);
        int rows = 3, steps = 4, features = features(model);
        Path x = NpyFiles.floats(
                folder.resolve("x.npy"),
                RandomLstm.values(new Random(8), rows * steps * features, 1),
                rows,
                steps,
                features);
        Path lengths = NpyFiles.ints(folder.resolve("lengths.npy"), 4, 0, 2);
        Path out = folder.resolve("out.npz");
        Path alone = folder.resolve("last.npy");
        Object[] run = {"run", model, x, "--lengths", lengths, "--device", "java", "--output-name", "last", "-o"};
        Cli.run(Stream.concat(Stream.of(run), Stream.of(alone)).toArray()).assertDone();
        Cli.run(Stream.concat(Stream.of(run), Stream.of(out, "--output-name", "y"))
                        .toArray())
                .assertDone();
        float[] y = NpyFiles.read(out + ":y");
        int width = y.length / rows / steps;
        float[] expected = new float[rows * width];
        System.arraycopy(y, 3 * width, expected, 0, width);
        System.arraycopy(y, (2 * steps + 1) * width, expected, 2 * width, width);
        Bits.assertSame("last with y", expected, NpyFiles.read(out + ":last"));
        Bits.assertSame("last alone", expected, NpyFiles.read(alone));
    }

    /** Layers of different sizes have an array each. */
    @Test
    void statesOfLayersThatDifferAreNamedByLayer() {
        Path model = Path.of("src", "test", "resources", "keras", "stack_3.keras");
        Path x = NpyFiles.floats(
                folder.resolve("x.npy"),
                RandomLstm.values(new Random(7), 2 * 5 * features(model), 1),
                2,
                5,
                features(model));
        Path all = folder.resolve("all.npz"), one = folder.resolve("one.npy");
        Cli.run("run", model, x, "-o", all, "--device", "java").assertDone();
        Cli.run("run", model, x, "-o", one, "--device", "java", "--output-name", "c_n_l1")
                .assertDone();
        Bits.assertSame("c_n_l1", NpyFiles.read(all + ":c_n_l1"), NpyFiles.read(one));
        assertArrayEquals(NpyFiles.shape(all + ":c_n_l1"), NpyFiles.shape(one));
        Cli.run("run", model, x, "-o", folder.resolve("no.npy"), "--output-name", "h_n")
                .assertError(2, "--output-name", "one of y, last, h_n_l0, h_n_l1", "c_n_l1", "found 'h_n'");
    }

    private static int features(Path model) {
        return ModelFiles.read(model).inputSize();
    }

    @Test
    void namesThatDoNotFitAreRefusedBeforeAnythingIsComputed() {
        Path npy = folder.resolve("no.npy");
        Cli.run("run", MODEL, INPUT, "-o", npy, "--output-name", "z", "--device", "opencl:99.99")
                .assertError(
                        2, "--output-name: expected an output of " + MODEL + ", one of y, last, h_n, c_n, found 'z'");
        Cli.run("run", MODEL, INPUT, "-o", npy, "--output-name", "last", "--output-name", "c_n")
                .assertError(2, npy, "expected a name that ends in .npz, or one --output-name, found 2: last, c_n");
        assertFalse(Files.exists(npy));
        assertTrue(NpyFiles.names(folder).isEmpty());
    }
}

package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.npy.NpzWriter;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
    private static final Path EXAMPLE = Path.of("examples", "sunspots");
    private static final Path MODEL = EXAMPLE.resolve("model.safetensors");
    private static final Path INPUT = EXAMPLE.resolve("input.npy");

    @TempDir
    Path folder;

    static Stream<String> devices() {
        return TestEngines.exact().stream().map(Device::toString);
    }

    @ParameterizedTest
    @MethodSource("devices")
    void agreesWithPyTorchOnTheExample(String device) {
        Path out = folder.resolve("out.npz");
        Cli.run("run", MODEL, INPUT, "-o", out, "--device", device).assertDone();
        for (String name : new String[] {"y", "h_n", "c_n"}) {
            String expected = EXAMPLE.resolve("expected.npz") + ":" + name;
            assertArrayEquals(NpyFiles.shape(expected), NpyFiles.shape(out + ":" + name));
            assertArrayEquals(NpyFiles.read(expected), NpyFiles.read(out + ":" + name), 1e-5f, name);
        }
        Path y = folder.resolve("y.npy");
        Cli.run("run", MODEL, INPUT, "-o", y, "--device", device).assertDone();
        assertArrayEquals(NpyFiles.read(EXAMPLE.resolve("expected_y.npy")), NpyFiles.read(y), 1e-5f);
        assertArrayEquals(NpyFiles.read(out + ":y"), NpyFiles.read(y), 0f);
    }

    static Stream<Arguments> cases() {
        long seed = TestEngines.seed(0);
        return devices().flatMap(device -> LongStream.range(seed, seed + 12).mapToObj(s -> Arguments.of(device, s)));
    }

    /**
     * Random models and batches, with lengths and states, in both layouts: the bits of the library, however they are
     * cut.
     */
    @ParameterizedTest
    @MethodSource("cases")
    void writesTheLibrarysBitsWhateverTheBatch(String device, long seed) throws IOException {
        RandomLstm random = RunFiles.random(seed);
        RunFiles files = RunFiles.write(random, folder);
        Path whole = folder.resolve("whole.npz");
        files.run("-o", whole, "--device", device).assertDone();
        LstmOutput expected = java(random);
        Bits.assertSame(random + ": y", expected.y().array(), NpyFiles.read(whole + ":y"));
        Bits.assertSame(random + ": h_n", expected.finalState().h(), NpyFiles.read(whole + ":h_n"));
        Bits.assertSame(random + ": c_n", expected.finalState().c(), NpyFiles.read(whole + ":c_n"));
        for (int batch : new int[] {1, 3, 64}) {
            Path cut = folder.resolve("cut.npz");
            files.run("-o", cut, "--device", device, "--batch", batch, "--overwrite")
                    .assertDone();
            assertEquals(-1, Files.mismatch(whole, cut), random + ", --batch " + batch);
        }
    }

    private static LstmOutput java(RandomLstm random) {
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, random.model());
                LstmSession session = engine.newSession()) {
            return session.run(random.input());
        }
    }

    /**
     * NaN, both infinities and values that overflow go through as data; a NaN's sign and payload are left to chance by
     * IEEE 754.
     */
    @Test
    void notANumberIsTheSameOnEveryDevice() throws IOException {
        RandomLstm random = RunFiles.random(3);
        float[] x = random.input().x().array();
        int[] special = {0x7fc00000, 0xffc12345, 0x7f800001, 0x7f800000, 0xff800000, 0x7f7fffff, 0x80000000, 1};
        for (int k = 0; k < x.length; k += 3) {
            x[k] = Float.intBitsToFloat(special[k / 3 % special.length]);
        }
        RunFiles files = RunFiles.write(random, folder);
        Path java = folder.resolve("java.npz");
        files.run("-o", java, "--device", "java").assertDone();
        int count = 0;
        for (String name : new String[] {"y", "h_n", "c_n"}) {
            for (float value : NpyFiles.read(java + ":" + name)) {
                if (Float.isNaN(value)) {
                    count++;
                    assertEquals(0x7fc00000, Float.floatToRawIntBits(value), name);
                }
            }
        }
        assertTrue(count > 0, "a NaN comes through");
        List<List<Object>> ways = new ArrayList<>(List.of(List.of("--device", "java", "--threads", 1, "--batch", 1)));
        Stream.of(Plan.values()).forEach(plan -> ways.add(List.of("--device", "opencl", "--plan", plan, "--batch", 2)));
        for (List<Object> way : ways) {
            Path other = folder.resolve("other.npz");
            List<Object> all = new ArrayList<>(List.of("-o", other, "--overwrite"));
            all.addAll(way);
            files.run(all.toArray()).assertDone();
            assertEquals(-1, Files.mismatch(java, other), way.toString());
        }
    }

    /** Small and large, 1 to 3 layers, with and without projections, lengths and states. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void everyPlanWritesTheSameFile(long seed) throws IOException {
        RunFiles files = RunFiles.write(RunFiles.random(seed), folder);
        Path java = folder.resolve("java.npz");
        files.run("-o", java, "--device", "java", "--threads", 1).assertDone();
        for (Plan plan : Plan.values()) {
            Path forced = folder.resolve("plan.npz");
            files.run("-o", forced, "--device", "opencl", "--plan", plan, "--overwrite")
                    .assertDone();
            assertEquals(-1, Files.mismatch(java, forced), files.random() + ", " + plan);
        }
    }

    /**
     * Other bytes than with float32 weights, and the same ones everywhere: those of a file that has the rounded
     * weights.
     */
    @ParameterizedTest
    @EnumSource(WeightPrecision.class)
    void weightsOfEveryPrecisionGiveTheSameFileEverywhere(WeightPrecision weights) throws IOException {
        RandomLstm random = RunFiles.random(5);
        RunFiles files = RunFiles.write(random, folder);
        Path plain = folder.resolve("plain.npz"),
                java = folder.resolve("java.npz"),
                other = folder.resolve("other.npz");
        files.run("-o", plain, "--device", "java").assertDone();
        Cli.Result result = files.run("-o", java, "--device", "java", "--weights", weights);
        result.assertDone();
        boolean rounded = weights != WeightPrecision.F32;
        assertEquals(rounded, Files.mismatch(plain, java) >= 0);
        assertEquals(
                rounded, result.err().contains("cellfuse: weights rounded to " + weights.label()), result::toString);
        for (Plan plan : Plan.values()) {
            result = files.run("-o", other, "--overwrite", "--device", "opencl", "--plan", plan, "--weights", weights);
            result.assertDone();
            assertEquals(
                    rounded, result.err().contains("cellfuse: weights stored as " + weights.label()), result::toString);
            assertEquals(-1, Files.mismatch(java, other), weights + ", " + plan);
        }
        PyTorchLstm.save(weights.round(random.model()), folder.resolve("model.safetensors"), true, "lstm.");
        files.run("-o", other, "--overwrite", "--device", "java").assertDone();
        assertEquals(-1, Files.mismatch(java, other), "a model that was rounded before");
    }

    @Test
    void readsAndWritesArchives() throws IOException {
        float[] x = NpyFiles.read(INPUT);
        Path one = archive("one.npz", x, "x");
        Path two = archive("two.npz", x, "x", "z");
        Path y = folder.resolve("y.npy");
        Cli.run("run", MODEL, INPUT, "-o", y, "--device", "java").assertDone();
        for (String input : new String[] {one.toString(), one + ":x", two + ":z"}) {
            Path again = folder.resolve("again.npy");
            Cli.run("run", MODEL, input, "-o", again, "--device", "java", "--overwrite")
                    .assertDone();
            assertEquals(-1, Files.mismatch(y, again), input);
        }
        Cli.run("run", MODEL, two, "-o", folder.resolve("no.npy")).assertError(2, two, "expected one array", "x, z");
        Cli.run("run", MODEL, two + ":w", "-o", folder.resolve("no.npy")).assertError(2, two, "'w'", "'x'");
    }

    private Path archive(String name, float[] values, String... arrays) {
        Path file = folder.resolve(name);
        try (NpzWriter writer = NpzWriter.create(file, false)) {
            for (String array : arrays) {
                writer.add(array, NpyFiles.shape(INPUT)).write(0, FloatBuffer.wrap(values));
            }
            writer.commit();
        }
        return file;
    }

    @Test
    void aSingleSequenceHasNoBatchDimension() {
        float[] x = Arrays.copyOf(NpyFiles.read(INPUT), 36 * 2);
        Path batched = NpyFiles.floats(folder.resolve("batched.npy"), x, 1, 36, 2);
        Path single = NpyFiles.floats(folder.resolve("single.npy"), x, 36, 2);
        Cli.run("run", MODEL, batched, "-o", folder.resolve("batched.npz")).assertDone();
        // Without rows there is no order of rows and steps.
        Cli.run("run", MODEL, single, "-o", folder.resolve("single.npz"), "--layout", "TNC")
                .assertDone();
        assertArrayEquals(new long[] {36, 32}, NpyFiles.shape(folder.resolve("single.npz") + ":y"));
        assertArrayEquals(new long[] {2, 32}, NpyFiles.shape(folder.resolve("single.npz") + ":h_n"));
        assertArrayEquals(new long[] {2, 32}, NpyFiles.shape(folder.resolve("single.npz") + ":c_n"));
        for (String name : new String[] {":y", ":h_n", ":c_n"}) {
            Bits.assertSame(
                    name,
                    NpyFiles.read(folder.resolve("batched.npz") + name),
                    NpyFiles.read(folder.resolve("single.npz") + name));
        }
        // And on from where it ended.
        Cli.run(
                        "run",
                        MODEL,
                        single,
                        "-o",
                        folder.resolve("next.npy"),
                        "--h0",
                        folder.resolve("single.npz") + ":h_n",
                        "--c0",
                        folder.resolve("single.npz") + ":c_n")
                .assertDone();
    }

    @Test
    void theOtherInitialStateIsZeros() throws IOException {
        long[] shape = {2, 240, 32};
        Path h0 = NpyFiles.floats(folder.resolve("h0.npy"), RandomLstm.values(new Random(1), 2 * 240 * 32, 1), shape);
        Path zeros = NpyFiles.zeros(folder.resolve("zeros.npy"), shape);
        run("h.npy", "--h0", h0);
        run("h_zeros.npy", "--h0", h0, "--c0", zeros);
        run("c.npy", "--c0", h0);
        run("c_zeros.npy", "--c0", h0, "--h0", zeros);
        run("plain.npy");
        assertEquals(-1, Files.mismatch(folder.resolve("h.npy"), folder.resolve("h_zeros.npy")));
        assertEquals(-1, Files.mismatch(folder.resolve("c.npy"), folder.resolve("c_zeros.npy")));
        assertTrue(Files.mismatch(folder.resolve("h.npy"), folder.resolve("plain.npy")) >= 0);
    }

    private void run(String out, Object... more) {
        Object[] all = Stream.concat(
                        Stream.of("run", MODEL, INPUT, "-o", folder.resolve(out), "--device", "java"), Stream.of(more))
                .toArray();
        Cli.run(all).assertDone();
    }

    @Test
    void otherNumbersBecomeFloat32AndNonNumbersGoThrough() throws IOException {
        float[] x = {1, -2, Float.NaN, 0.5f, Float.POSITIVE_INFINITY, 3};
        double[] wide = new double[x.length];
        for (int k = 0; k < x.length; k++) {
            wide[k] = x[k];
        }
        LstmWeights layer = LstmWeights.builder(2, 3)
                .input(RandomLstm.values(new Random(4), 24, 1))
                .recurrent(RandomLstm.values(new Random(5), 36, 1))
                .build();
        Path weights = folder.resolve("m.safetensors");
        PyTorchLstm.save(new LstmModel(Direction.FORWARD, List.of(List.of(layer))), weights, false, "");
        Path narrow = NpyFiles.floats(folder.resolve("f4.npy"), x, 1, 3, 2);
        Path doubles = NpyFiles.doubles(folder.resolve("f8.npy"), wide, 1, 3, 2);
        for (Device device : TestEngines.exact()) {
            Cli.run("run", weights, narrow, "-o", folder.resolve("y4.npy"), "--device", device, "--overwrite")
                    .assertDone();
            Cli.run("run", weights, doubles, "-o", folder.resolve("y8.npy"), "--device", device, "--overwrite")
                    .assertDone();
            assertEquals(-1, Files.mismatch(folder.resolve("y4.npy"), folder.resolve("y8.npy")));
            assertTrue(Float.isNaN(NpyFiles.read(folder.resolve("y4.npy"))[3]));
        }
    }

    @Test
    void saysWhatItDoesOnStderrUnlessQuiet() {
        Cli.Result loud = Cli.run(
                        "run", MODEL, INPUT, "-o", folder.resolve("a.npy"), "--device", "java", "--batch", "100")
                .assertDone();
        assertEquals("", loud.out());
        assertTrue(loud.err().contains("cellfuse: device java: selected by --device"), loud.err());
        assertTrue(loud.err().contains("240 rows of 36 steps in 3 chunks of up to 100 rows"), loud.err());
        assertTrue(loud.err().contains("rows/s") && loud.err().contains("GFLOP/s"), loud.err());
        Cli.Result quiet = Cli.run("run", MODEL, INPUT, "-o", folder.resolve("b.npy"), "--device", "java", "-q")
                .assertDone();
        assertEquals("", quiet.out() + quiet.err());
    }

    @Test
    void overwritesOnlyWhenAsked() throws IOException {
        Path out = Files.writeString(folder.resolve("y.npy"), "mine");
        Cli.run("run", MODEL, INPUT, "-o", out).assertError(2, out, "--overwrite");
        assertEquals("mine", Files.readString(out));
        Cli.run("run", MODEL, INPUT, "-o", out, "--overwrite").assertDone();
        assertFalse(Files.size(out) < 1000);
        assertEquals("y.npy", NpyFiles.names(folder));
    }
}

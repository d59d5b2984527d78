package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever is wrong: exit code 2, one line with the file, the field, what was expected and what was found; nothing
 * written.
 */
class RunBadInputTest {
    @TempDir
    Path folder;

    private Path model;
    private Path x;
    private Path out;

    /** A model with I = 3 and H = 4 in 2 layers, and x [5,6,3]. */
    @BeforeEach
    void writeGoodFiles() {
        LstmModel forward = forward();
        model = folder.resolve("model.safetensors");
        PyTorchLstm.save(forward, model, false, "");
        x = NpyFiles.zeros(folder.resolve("x.npy"), 5, 6, 3);
        out = folder.resolve("out.npz");
        Cli.run("run", model, x, "-o", out).assertDone();
        assertTrue(out.toFile().delete());
    }

    private static LstmModel forward() {
        Random random = new Random(1);
        while (true) {
            LstmModel candidate = RandomLstm.model(random, 2, 3, 4, false, true);
            if (candidate.last().direction() == Direction.FORWARD) {
                return candidate;
            }
        }
    }

    private void assertRefused(Object[] arguments, Object... parts) {
        String before = NpyFiles.names(folder);
        Cli.run(arguments).assertError(2, parts);
        assertEquals(before, NpyFiles.names(folder));
    }

    private Object[] run(Object... more) {
        return Stream.concat(Stream.of("run", model, x, "-o", out), Stream.of(more))
                .toArray();
    }

    private Object[] runOn(Path model, Object input) {
        return new Object[] {"run", model, input, "-o", out};
    }

    private Path file(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content);
    }

    /** Within its last page: the JVM reads zeros there, without an error. */
    @Test
    void anInputThatIsCutWhileItIsRead() throws Exception {
        Path cut = NpyFiles.zeros(folder.resolve("cut.npy"), 50_000, 6, 3);
        String before = NpyFiles.names(folder);
        Thread cutter = new Thread(() -> {
            while (!NpyFiles.names(folder).contains(".partial")) { // the output, not yet renamed
                Thread.onSpinWait();
            }
            try (FileChannel channel = FileChannel.open(cut, StandardOpenOption.WRITE)) {
                channel.truncate(Files.size(cut) - 8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        cutter.setDaemon(true);
        cutter.start();
        Cli.run("run", model, cut, "-o", out, "--batch", 4, "--device", "java", "-q")
                .assertError(2, cut + ": the file changed while it was read: expected ");
        // Rows may have been finished before. The run can't be continued: the file lacks what its header says.
        if (!before.equals(NpyFiles.names(folder))) {
            Cli.run("run", model, cut, "-o", out, "--batch", 4, "--device", "java", "-q", "--resume")
                    .assertError(2, cut + ": truncated: expected ");
            Files.delete(Path.of(out + ".journal"));
            Files.delete(Path.of(out + ".partial"));
        }
        assertEquals(before, NpyFiles.names(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "x", "lengths", "h0", "c0"})
    void aMissingFile(String which) {
        Path no = folder.resolve("no.npy");
        Object[] arguments = switch (which) {
            case "model" -> runOn(no, x);
            case "x" -> runOn(model, no);
            default -> run("--" + which, no);
        };
        assertRefused(arguments, no, "no such file");
    }

    @Test
    void emptyTruncatedAndForeignFiles() throws IOException {
        Path empty = file("empty", new byte[0]);
        Path text = file(
                "text", "hello, this is neither NumPy nor safetensors".repeat(9).getBytes());
        byte[] good = Files.readAllBytes(x);
        byte[] weights = Files.readAllBytes(model);
        Path shortX = file("short.npy", Arrays.copyOf(good, good.length - 1));
        Path shortModel = file("short.safetensors", Arrays.copyOf(weights, weights.length - 1));
        for (Path bad : new Path[] {empty, text, folder}) {
            assertRefused(runOn(model, bad), bad);
            assertRefused(runOn(bad, x), bad);
            assertRefused(run("--lengths", bad), bad);
        }
        assertRefused(runOn(model, shortX), shortX, "expected", "found");
        assertRefused(runOn(shortModel, x), shortModel, "expected", "found");
        // As numpy.savez() writes it without an array.
        Path none = file("none.npz", Arrays.copyOf(new byte[] {'P', 'K', 5, 6}, 22));
        assertRefused(runOn(model, none), none, "expected one array, found none");
        Path archive = file("bad.npz", weights);
        assertRefused(runOn(model, archive), archive);
        assertRefused(runOn(model, archive + ":x"), archive);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-5,6,3", "5,6,4", "99999999999,99999999999,99999999999", "5,99999999,3", "1e3,6,3"})
    void headersThatLie(String shape) throws IOException {
        Path bad = file("lie.npy", NpyFiles.header("<f4", shape, 5 * 6 * 3 * 4).array());
        assertRefused(runOn(model, bad), bad);
    }

    @Test
    void aModelOfOtherTensors() throws IOException {
        String header = new String(Files.readAllBytes(model), StandardCharsets.ISO_8859_1);
        Path missing = file("missing.safetensors", latin(header.replace("weight_hh_l1", "other_tensor")));
        assertRefused(runOn(missing, x), missing, "weight_hh_l1", "expected");
        Path extra = file("extra.safetensors", latin(header.replace("weight_hh_l1", "xeight_hh_l1")));
        assertRefused(runOn(extra, x), extra, "'xeight_hh_l1'", "expected", "found an unknown one");
        Path misshapen = file("misshapen.safetensors", latin(header.replaceFirst("\\[16,3\\]", "[3,16]")));
        assertRefused(runOn(misshapen, x), misshapen, "weight_ih_l0", "expected", "found");
        assertRefused(run("--prefix", "encoder"), model, "'encoder'");
    }

    private static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void inputsThatDoNotFitTheModel() {
        Path features = NpyFiles.zeros(folder.resolve("features.npy"), 5, 6, 4);
        assertRefused(runOn(model, features), features, "features", "expected 3", "found 4", "[5, 6, 4]");
        Path flat = NpyFiles.zeros(folder.resolve("flat.npy"), 90);
        assertRefused(runOn(model, flat), flat, "shape", "[N, T, 3]", "[90]");
        Path deep = NpyFiles.zeros(folder.resolve("deep.npy"), 1, 5, 6, 3);
        assertRefused(runOn(model, deep), deep, "shape", "[N, T, 3]", "[1, 5, 6, 3]");
        Path timeless = NpyFiles.zeros(folder.resolve("timeless.npy"), 5, 0, 3);
        assertRefused(runOn(model, timeless), timeless, "steps", "[5, 0, 3]");
    }

    @Test
    void lengthsThatDoNotFitTheInput() {
        Path lengths = folder.resolve("lengths.npy");
        assertRefused(lengths(6, 6, -1, 6, 6), lengths, "lengths[2]", "0 to 6", "found -1");
        assertRefused(lengths(6, 6, 6, 6, 7), lengths, "lengths[4]", "0 to 6", "found 7");
        assertRefused(lengths(6, 6, 6, 6), lengths, "lengths", "expected [5]", "found [4]");
        assertRefused(lengths(6, 6, 6, 6, 6, 6), lengths, "lengths", "expected [5]", "found [6]");
        // The steps and rows are exchanged in the other layout.
        assertRefused(run("--layout", "TNC", "--lengths", lengths), lengths, "lengths[0]", "0 to 5", "found 6");
        Path floats = NpyFiles.floats(folder.resolve("floats.npy"), new float[] {1, 2, 3, 4, 5}, 5);
        assertRefused(run("--lengths", floats), floats, "integers", "float32");
    }

    private Object[] lengths(int... values) {
        return run("--lengths", NpyFiles.ints(folder.resolve("lengths.npy"), values));
    }

    @Test
    void statesThatDoNotFitTheModel() {
        Path state = NpyFiles.zeros(folder.resolve("state.npy"), 2, 4, 4);
        assertRefused(run("--h0", state), state, "h0", "expected [2, 5, 4]", "found [2, 4, 4]");
        assertRefused(run("--c0", state), state, "c0", "expected [2, 5, 4]", "found [2, 4, 4]");
    }

    @Test
    void devicesThatAreNot() {
        assertRefused(run("--device", "cuda"), "--device", "opencl:P.D", "'cuda'", "java");
        assertRefused(run("--device", "opencl:97.3"), "opencl:97.3", "expected", "opencl:0.0");
        assertRefused(run("--device", "java", "--plan", "fused"), "--plan applies to OpenCL devices only, not to java");
        assertRefused(run("--device", "java", "--threads", "-1"), "threads", "found -1");
        assertRefused(run("--weights", "half"), "--weights", "F32, F16, BF16", "'half'", "cellfuse run --help");
    }

    @Test
    void outputsThatCannotBe() throws IOException {
        assertRefused(outputTo(folder.resolve("no").resolve("y.npy")), folder.resolve("no"), "folder");
        assertRefused(outputTo(folder.resolve("y.csv")), "y.csv", ".npy or .npz", "found .csv");
        assertRefused(outputTo(folder.resolve("y")), ".npy or .npz", "no ending");
        assertRefused(outputTo(x, "--overwrite"), x, "input", "the same");
        assertRefused(outputTo(x), x, "input");
        Path there = file("there.npy", new byte[3]);
        assertRefused(outputTo(there), there, "--overwrite");
        assertEquals(3, Files.size(there));
        Path directory = Files.createDirectory(folder.resolve("d.npy"));
        assertRefused(outputTo(directory, "--overwrite"), directory, "folder");
        Path lost = Files.createSymbolicLink(folder.resolve("lost.npy"), folder.resolve("nowhere.npy"));
        assertRefused(outputTo(lost), lost, "is a broken link");
        assertRefused(outputTo(lost, "--overwrite"), lost, "is a broken link");
        assertRefused(outputTo(folder.resolve("y".repeat(252) + ".npy")), "the system doesn't accept this file name");
        Path link = Files.createSymbolicLink(folder.resolve("link.npy"), x);
        assertRefused(outputTo(link, "--overwrite"), link, "input", "the same");
    }

    private Object[] outputTo(Path target, Object... more) {
        return Stream.concat(Stream.of("run", model, x, "-o", target), Stream.of(more))
                .toArray();
    }

    @Test
    void argumentsThatAreWrong() {
        assertRefused(run("--batch", "0"), "--batch", "at least 1", "found 0");
        assertRefused(run("--batch", "many"), "--batch", "many", "--help");
        assertRefused(run("--layout", "NCT"), "--layout", "NTC", "NCT");
        assertRefused(run("--nonsense"), "--nonsense", "cellfuse run --help");
        assertRefused(new Object[] {"run", model, x}, "--output", "cellfuse run --help");
        assertRefused(new Object[] {"run"}, "MODEL");
        assertRefused(new Object[] {}, "expected a command", "run", "info", "devices", "cellfuse --help");
        assertRefused(
                new Object[] {"walk", model}, "expected a command: demo, run, ", "found 'walk'", "cellfuse --help");
        assertRefused(new Object[] {"--walk"}, "Unknown option: '--walk'", "cellfuse --help");
        assertRefused(new Object[] {"run", model, "a\nb\0c", "-o", out}, "INPUT");
    }
}

package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.Direction;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A column of an Arrow file gives the bits of a NumPy file with its values. */
class RunArrowTest {
    private static final Path CASES = Path.of("src/test/resources/arrow");

    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void writeModel() {
        model = folder.resolve("model.safetensors");
        PyTorchLstm.save(RandomLstm.model(new Random(1), Direction.FORWARD, 1, 2, 4, false, true), model, true, "");
    }

    /** The values of the cases: see make_arrow_cases.mjs. */
    private Path numpy(int steps) {
        float[] values = new float[5 * steps * 2];
        for (int k = 0; k < values.length; k++) {
            values[k] = 100 * (k / (2 * steps)) + 10 * (k / 2 % steps) + k % 2;
        }
        return NpyFiles.floats(folder.resolve("x" + steps + ".npy"), values, 5, steps, 2);
    }

    private Path run(String name, Object input, Object... more) {
        Path out = folder.resolve(name);
        Object[] arguments = new Object[8 + more.length];
        System.arraycopy(
                new Object[] {"run", model, input, "-o", out, "--overwrite", "--device", "java"}, 0, arguments, 0, 8);
        System.arraycopy(more, 0, arguments, 8, more.length);
        Cli.run(arguments).assertDone();
        return out;
    }

    @Test
    void columnsGiveTheBitsOfNumPyFiles() throws IOException {
        Path expected = run("expected.npz", numpy(3));
        for (String input : new String[] {"flat.arrow", "flat.arrow:x", "nested.arrow", "int32.arrow", "two.arrow:b"}) {
            for (int batch : new int[] {1, 3, 100}) {
                Path found = run("found.npz", CASES.resolve(input), "--batch", batch);
                assertEquals(-1, Files.mismatch(expected, found), input);
            }
        }
    }

    @Test
    void rowsHaveLengthsOfTheirOwn() throws IOException {
        Path lengths = NpyFiles.ints(folder.resolve("lengths.npy"), 1, 2, 0, 4, 5);
        Path expected = run("expected.npz", numpy(5), "--lengths", lengths);
        for (String input : new String[] {"list.arrow", "list_of_fixed.arrow", "list_of_lists.arrow"}) {
            for (int batch : new int[] {1, 2, 100}) {
                Path found = run("found.npz", CASES.resolve(input), "--batch", batch);
                assertEquals(-1, Files.mismatch(expected, found), input);
            }
            Cli.run("verify", model, CASES.resolve(input), "--device", "java").assertDone();
        }
        Cli.run("run", model, CASES.resolve("list.arrow"), "-o", folder.resolve("y.npy"), "--lengths", lengths)
                .assertError(2, lengths + ": expected no --lengths", "list.arrow:x have lengths of their own");
    }

    @Test
    void argumentsThatArrowFilesDoNotHave() {
        Path x = CASES.resolve("flat.arrow");
        Cli.run("run", model, x, "-o", folder.resolve("y.npy"), "--layout", "TNC")
                .assertError(2, x, "--layout TNC", "found an Arrow file");
        Cli.run("run", model, x + ":y", "-o", folder.resolve("y.npy")).assertError(2, x, "expected a column 'y'");
        Cli.run("run", model, x, "-o", folder.resolve("y.npy"), "--h0", x).assertError(2, x, "not a NumPy file");
    }
}

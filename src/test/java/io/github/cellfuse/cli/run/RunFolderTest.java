package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.npy.NpyFolder;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder of files is one batch: the same bits as one file with all rows. */
class RunFolderTest {
    private static final int STEPS = 5;
    private static final int FEATURES = 3;

    @TempDir
    Path temp;

    private Path folder;
    private Path model;
    private int rows; // written so far
    private float[] all = {};

    @BeforeEach
    void writeModel() throws IOException {
        folder = Files.createDirectory(temp.resolve("x"));
        model = temp.resolve("model.safetensors");
        PyTorchLstm.save(
                RandomLstm.model(new Random(1), Direction.FORWARD, 1, FEATURES, 4, false, true), model, true, "");
    }

    /** The next rows, of values that float32 holds. */
    private float[] next(int count) {
        Random random = new Random(rows);
        float[] values = new float[count * STEPS * FEATURES];
        for (int k = 0; k < values.length; k++) {
            values[k] = random.nextInt(64) / 16f - 2;
        }
        int before = all.length;
        all = Arrays.copyOf(all, before + values.length);
        System.arraycopy(values, 0, all, before, values.length);
        rows += count;
        return values;
    }

    private Path floats(String name, int count) {
        return NpyFiles.floats(folder.resolve(name), next(count), count, STEPS, FEATURES);
    }

    private Path doubles(String name, int count) {
        float[] values = next(count);
        double[] wide = new double[values.length];
        Arrays.setAll(wide, k -> values[k]);
        return NpyFiles.doubles(folder.resolve(name), wide, count, STEPS, FEATURES);
    }

    private void writeParts() throws IOException {
        floats("part-1.npy", 3);
        doubles("part-2.npy", 4);
        floats("part-3.NPY", 0);
        floats("part-10.npy", 1);
        floats("part-11.npy", 6);
        // All this is ignored:
        Files.writeString(folder.resolve("README.txt"), "rows");
        Files.writeString(folder.resolve(".hidden.npy"), "no array");
        Files.createDirectory(folder.resolve("part-4.npy"));
        NpyFiles.zeros(folder.resolve("part-4.npy").resolve("inner.npy"), 1, 1, 1);
    }

    @Test
    void hasTheBitsOfOneFile() throws IOException {
        writeParts();
        Path whole = NpyFiles.floats(temp.resolve("whole.npy"), all, rows, STEPS, FEATURES);
        Path lengths = NpyFiles.ints(temp.resolve("lengths.npy"), 5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0, 5, 5);
        Path expected = temp.resolve("expected.npz");
        Path found = temp.resolve("found.npz");
        Cli.run("run", model, whole, "-o", expected, "--device", "java", "--lengths", lengths)
                .assertDone();
        for (int batch : new int[] {1, 2, 5, 100}) {
            Cli.Result result = Cli.run(
                    "run",
                    model,
                    folder,
                    "-o",
                    found,
                    "--device",
                    "java",
                    "--lengths",
                    lengths,
                    "--batch",
                    batch,
                    "--overwrite");
            result.assertDone();
            assertEquals(-1, Files.mismatch(expected, found), "batch " + batch);
            assertTrue(
                    result.err().contains(folder + ": 5 files, part-1.npy to part-11.npy in numeric order"),
                    result.err());
        }
    }

    @Test
    void filesMayBeSingleSequences() {
        NpyFiles.floats(folder.resolve("a.npy"), next(1), STEPS, FEATURES);
        NpyFiles.floats(folder.resolve("b.npy"), next(1), STEPS, FEATURES);
        try (NpyFolder array = NpyFolder.open(folder)) {
            assertArrayEquals(new long[] {2, STEPS, FEATURES}, array.shape());
            FloatBuffer values = FloatBuffer.allocate(all.length);
            array.read(0, values);
            assertArrayEquals(all, values.array());
        }
    }

    @Test
    void anyRangeOfElementsCanBeRead() throws IOException {
        writeParts();
        try (NpyFolder array = NpyFolder.open(folder)) {
            Random random = new Random(3);
            for (int trial = 0; trial < 200; trial++) {
                int first = random.nextInt(all.length + 1);
                int end = first + random.nextInt(all.length - first + 1);
                FloatBuffer target = FloatBuffer.allocate(end - first);
                array.read(first, target);
                assertEquals(0, target.remaining());
                assertArrayEquals(Arrays.copyOfRange(all, first, end), target.array());
            }
            assertThrows(InvalidInputException.class, () -> array.read(all.length, FloatBuffer.allocate(1)));
        }
    }

    @Test
    void aFileLargerThanAPieceIsReadInPieces() {
        floats("large.npy", 50_000 / STEPS);
        doubles("larger.npy", 50_000 / STEPS);
        try (NpyFolder array = NpyFolder.open(folder)) {
            FloatBuffer values = FloatBuffer.allocate(all.length);
            array.read(0, values);
            assertArrayEquals(all, values.array());
        }
    }

    @Test
    void verifyReadsFolders() throws IOException {
        writeParts();
        try (SequenceInput opened =
                SequenceInput.open(InputFile.parse(folder.toString()), LayoutOption.NTC, FEATURES)) {
            assertArrayEquals(new long[] {rows, STEPS, FEATURES}, opened.x().shape());
        }
        Cli.run("verify", model, folder, "--device", "java").assertDone();
    }

    private void assertRefused(Object... parts) {
        Cli.run("run", model, folder, "-o", temp.resolve("y.npy")).assertError(2, parts);
    }

    @Test
    void aFolderWithoutArrays() throws IOException {
        assertRefused(folder + ": expected .npy files, found a folder without any");
        Files.writeString(folder.resolve("x.npz"), "");
        assertRefused(folder + ": expected .npy files, found a folder without any");
    }

    @Test
    void filesThatDoNotFit() throws IOException {
        floats("a.npy", 2);
        Path bad = NpyFiles.zeros(folder.resolve("b.npy"), 2, STEPS + 1, FEATURES);
        assertRefused(bad + ": shape: expected [N, 5, 3] as in a.npy, found [2, 6, 3]");
        NpyFiles.zeros(bad, 2, STEPS, FEATURES + 1);
        assertRefused(bad + ": shape: expected [N, 5, 3] as in a.npy, found [2, 5, 4]");
        NpyFiles.zeros(bad, STEPS, FEATURES);
        assertRefused(bad + ": shape: expected [N, 5, 3] as in a.npy, found [5, 3]");
        NpyFiles.zeros(bad, 90);
        assertRefused(bad + ": shape: expected [N, 5, 3] as in a.npy, found [90]");
        Files.writeString(bad, "text");
        assertRefused(bad + ": not a NumPy file");
        Files.write(bad, Arrays.copyOf(Files.readAllBytes(folder.resolve("a.npy")), 200));
        assertRefused(bad + ": truncated");
        Files.delete(bad);
        Files.createSymbolicLink(bad, temp.resolve("nowhere"));
        assertRefused(bad + ": no such file");
        NpyFiles.zeros(folder.resolve("0.npy"), 90);
        assertRefused(folder.resolve("0.npy") + ": shape: expected [N, T, I], or [T, I] for one row, found [90]");
        NpyFiles.zeros(folder.resolve("0.npy"), 4, 0, FEATURES);
        assertRefused(folder.resolve("0.npy") + ": shape: expected [N, T, I]", "[4, 0, 3]");
    }

    @Test
    void shapesThatDoNotFitTheModel() {
        NpyFiles.zeros(folder.resolve("a.npy"), 2, STEPS, FEATURES + 1);
        assertRefused(folder + ": input features: expected 3 as the model has, found 4");
    }

    @Test
    void argumentsThatFoldersDoNotHave() {
        floats("a.npy", 2);
        Path y = temp.resolve("y.npy");
        Cli.run("run", model, folder, "-o", y, "--layout", "TNC")
                .assertError(2, folder, "--layout TNC", "found a folder", "NTC");
        Cli.run("run", model, folder, "-o", y, "--lengths", folder).assertError(2, folder, "found a folder");
        Cli.run("run", model, folder, "-o", folder.resolve("y.npy"))
                .assertError(2, folder.resolve("y.npy"), "outside the input folder");
        Cli.run("run", model, folder, "-o", folder.resolve("y.npz"), "--device", "java")
                .assertDone();
    }

    @Test
    void filesThatChangeAfterwards() throws IOException {
        Path a = floats("a.npy", 2);
        Path b = floats("b.npy", 2);
        FloatBuffer target = FloatBuffer.allocate(all.length);
        try (NpyFolder array = NpyFolder.open(folder)) {
            Files.write(b, Arrays.copyOf(Files.readAllBytes(b), 150));
            assertFails(array, target, b + ": the file changed while it was read");
        }
        rows = 0;
        all = new float[0];
        floats("b.npy", 4);
        try (NpyFolder array = NpyFolder.open(folder)) {
            Files.copy(a, temp.resolve("other.npy"));
            Files.move(temp.resolve("other.npy"), a, StandardCopyOption.REPLACE_EXISTING);
            assertFails(array, target, a + ": the file was replaced");
            Files.delete(a);
            assertFails(array, target, a + ": the file was deleted");
        }
    }

    private static void assertFails(NpyFolder array, FloatBuffer target, String message) {
        String found = assertThrows(InvalidInputException.class, () -> array.read(0, target.clear()))
                .getMessage();
        assertTrue(found.startsWith(message), found);
    }
}

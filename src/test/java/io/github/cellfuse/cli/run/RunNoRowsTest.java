package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.cellfuse.Direction;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.npy.Python;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An input without rows gives an output without rows. */
class RunNoRowsTest {
    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void makeModel() {
        model = folder.resolve("model.safetensors");
        PyTorchLstm.save(
                RandomLstm.model(new Random(1), Direction.BIDIRECTIONAL, 2, 3, 5, false, true), model, false, "");
    }

    @Test
    void everyArrayIsEmptyAndHasItsShape() {
        Path x = NpyFiles.zeros(folder.resolve("x.npy"), 0, 6, 3), out = folder.resolve("out.npz");
        Cli.run("run", model, x, "-o", out).assertDone();
        assertArrayEquals(new long[] {0, 6, 10}, NpyFiles.shape(out + ":y"));
        assertArrayEquals(new long[] {4, 0, 5}, NpyFiles.shape(out + ":h_n"));
        assertArrayEquals(new long[] {4, 0, 5}, NpyFiles.shape(out + ":c_n"));
        Path last = folder.resolve("last.npy");
        Cli.run("run", model, x, "-o", last, "--output-name", "last").assertDone();
        assertArrayEquals(new long[] {0, 10}, NpyFiles.shape(last));
    }

    @Test
    void timeFirstAndAFolder() {
        Path x = NpyFiles.zeros(folder.resolve("x.npy"), 6, 0, 3), out = folder.resolve("out.npy");
        Cli.run("run", model, x, "-o", out, "--layout", "TNC").assertDone();
        assertArrayEquals(new long[] {6, 0, 10}, NpyFiles.shape(out));
        Path parts = folder.resolve("parts");
        assertFalse(Files.exists(parts));
        parts.toFile().mkdir();
        NpyFiles.zeros(parts.resolve("a.npy"), 0, 6, 3);
        Cli.run("run", model, parts, "-o", out, "--overwrite").assertDone();
        assertArrayEquals(new long[] {0, 6, 10}, NpyFiles.shape(out));
    }

    @Test
    void fortranOrder() throws Exception {
        Python.run(
                "import sys, numpy as np; [np.save(f, np.zeros(s, order='F')) for f, s in"
                        + " zip(sys.argv[1:], [(0, 6, 3), (6, 0, 3)])]",
                folder.resolve("n.npy"),
                folder.resolve("t.npy"));
        Path out = folder.resolve("out.npy");
        Cli.run("run", model, folder.resolve("n.npy"), "-o", out).assertDone();
        assertArrayEquals(new long[] {0, 6, 10}, NpyFiles.shape(out));
        Cli.run("run", model, folder.resolve("t.npy"), "-o", out, "--layout", "TNC", "--overwrite")
                .assertDone();
        assertArrayEquals(new long[] {6, 0, 10}, NpyFiles.shape(out));
    }

    @Test
    void otherCommandsNeedARow() {
        Path x = NpyFiles.zeros(folder.resolve("x.npy"), 0, 6, 3);
        Cli.run("verify", model, x).assertError(2, x, "at least 1 row");
    }
}

package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.format.keras.KerasCases;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keras' files from the command line. */
class KerasCommandsTest {
    @TempDir
    Path folder;

    private static float[] values(Path file, String name) {
        try (NpzArchive archive = NpzArchive.open(file);
                NpyArray array = archive.array(name)) {
            return array.readAll();
        }
    }

    private Cli.Result run(String model, Path output, Object... options) {
        Path x = Path.of(KerasCases.file(model).toString().replaceFirst("\\.\\w+$", ".npz"));
        Object[] arguments = new Object[7 + options.length];
        Object[] first = {"run", KerasCases.file(model), x + ":x", "-o", output, "--device", "java"};
        System.arraycopy(first, 0, arguments, 0, first.length);
        System.arraycopy(options, 0, arguments, first.length, options.length);
        return Cli.run(arguments).assertDone();
    }

    @Test
    void modelsOfSeveralSizesRun() {
        Path output = folder.resolve("y.npz");
        Cli.Result result = run("mixed_directions_3.keras", output);
        assertTrue(!result.err().contains("Keras"), result::toString);
        assertArrayEquals(values(KerasCases.file("mixed_directions_3.npz"), "out"), values(output, "y"), 1e-5f);
        try (NpzArchive archive = NpzArchive.open(output)) {
            assertEquals(List.of("y", "h_n_l0", "h_n_l1", "h_n_l2", "c_n_l0", "c_n_l1", "c_n_l2"), archive.names());
        }
    }

    @Test
    void namedLayersRun() {
        Path output = folder.resolve("y.npz");
        run("tagger_2.h5", output, "--layers", "lstm,bidirectional");
        assertArrayEquals(values(KerasCases.file("tagger_2.npz"), "out"), values(output, "y"), 1e-5f);
    }

    /** One line says that there is more in the model. */
    @Test
    void theOnlyChainRuns() {
        Path output = folder.resolve("y.npz");
        String line = "cellfuse: read only LSTM 'lstm', Bidirectional(LSTM) 'bidirectional' of the model, not Embedding"
                + " 'embedding', Dense 'head'";
        assertEquals(
                1, run("tagger_2.h5", output).err().lines().filter(line::equals).count());
        assertArrayEquals(values(KerasCases.file("tagger_2.npz"), "out"), values(output, "y"), 1e-5f);
        assertEquals(
                1,
                Cli.run("convert", KerasCases.file("tagger_2.h5"), "-o", folder.resolve("m.onnx"))
                        .assertDone()
                        .err()
                        .lines()
                        .filter(line::equals)
                        .count());
        assertTrue(Cli.run("info", KerasCases.file("tagger_2.h5"))
                .assertDone()
                .out()
                .contains("not Embedding 'embedding', Dense 'head'"));
    }

    @Test
    void saysWhereTheOutputsAreNotThoseOfKeras() {
        assertTrue(run("backwards_2.h5", folder.resolve("a.npz"))
                .err()
                .contains("cellfuse: y is in the order of the input"));
        Path output = folder.resolve("b.npz");
        assertTrue(run("last_output_2.h5", output).err().contains("that is its h_n"));
        assertArrayEquals(values(KerasCases.file("last_output_2.npz"), "out"), values(output, "h_n"), 1e-5f);
        assertEquals("", run("backwards_2.h5", folder.resolve("c.npz"), "-q").err());
    }

    @Test
    void masksAreLengths() {
        Path output = folder.resolve("y.npz");
        Cli.Result result =
                run("masked_last_3.keras", output, "--lengths", KerasCases.file("masked_last_3.npz") + ":lengths");
        assertTrue(result.err().contains("masked steps are given as lengths"), result::toString);
        assertArrayEquals(values(KerasCases.file("masked_last_3.npz"), "out"), values(output, "h_n"), 1e-5f);
    }

    @Test
    void areVerified() {
        Cli.Result result =
                Cli.run("verify", KerasCases.file("mixed_directions_3.keras"), "--device", "java", "--shape", "3,7");
        assertEquals(0, result.exit(), result::toString);
    }
}

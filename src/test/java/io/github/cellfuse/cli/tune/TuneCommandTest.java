package io.github.cellfuse.cli.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TuneCommandTest {
    @TempDir
    Path folder;

    private Path tuned;
    private Path model;
    private String before;

    @BeforeEach
    void prepare() {
        before = System.getProperty("cellfuse.tuned");
        tuned = folder.resolve("tuned");
        System.setProperty("cellfuse.tuned", tuned.toString());
        model = folder.resolve("model.safetensors");
        PyTorchLstm.save(RandomLstm.model(new Random(1), 1, 3, 9, false, true), model, false, "");
    }

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty("cellfuse.tuned");
        } else {
            System.setProperty("cellfuse.tuned", before);
        }
    }

    private List<Path> stored() throws IOException {
        if (!Files.exists(tuned)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(tuned)) {
            return files.filter(file -> file.toString().endsWith(".txt")).toList();
        }
    }

    @Test
    void printsATableForEachShapeAndStoresAndForgets() throws IOException {
        Cli.Result result = Cli.run(
                        "tune", model, "--device", "opencl", "--shape", "2,3", "--shape", "1,1", "--seconds", 0.01)
                .assertDone();
        assertEquals(
                2, result.out().lines().filter(line -> line.endsWith("ratio")).count(), result::toString);
        assertEquals(
                2, result.out().lines().filter(line -> line.endsWith("  usual")).count(), result::toString);
        assertTrue(result.err().contains("shape 2 of 2: "), result::toString);
        assertTrue(result.err().matches("(?s).*measured opencl.*: [0-9]+ GFLOP/s, .* us a launch.*"), result::toString);
        assertEquals(1, stored().size());
        assertTrue(result.err().contains("stored in " + stored().get(0)), result::toString);

        Cli.Result forgotten = Cli.run("tune", "--forget", "--device", "opencl").assertDone();
        assertTrue(forgotten.err().contains("deleted "), forgotten::toString);
        assertEquals(List.of(), stored());
        assertTrue(Cli.run("tune", "--forget", "--device", "opencl")
                .assertDone()
                .err()
                .contains("no plans are stored"));
    }

    @Test
    void aDryRunStoresNothingAndNeedsNoFolder() throws IOException {
        System.setProperty("cellfuse.tuned", "off");
        Cli.Result result = Cli.run(
                        "tune", model, "--device", "opencl", "--shape", "2,3", "--seconds", 0.01, "--dry-run", "-q")
                .assertDone();
        assertEquals("", result.err());
        assertFalse(result.out().contains("stored"), result::toString);
        assertEquals(List.of(), stored());
        Cli.run("tune", model, "--device", "opencl")
                .assertError(2, "tuned plans are disabled", "cellfuse.tuned=off", "--dry-run");
    }

    @Test
    void tunesForThePrecisionOfTheWeights() throws IOException {
        Cli.Result result = Cli.run(
                        "tune", model, "--device", "opencl", "--shape", "2,3", "--seconds", 0.01, "--weights", "f16")
                .assertDone();
        assertTrue(result.err().contains("3 -> 9 units, weights f16, 3 rows x 2 steps"), result::toString);
        List<String> entries = Files.readAllLines(stored().get(0)).stream()
                .filter(line -> line.startsWith("inputs="))
                .toList();
        assertTrue(entries.stream().allMatch(line -> line.contains(" weights=f16 ")), entries::toString);
    }

    @Test
    void refusesWhatIsWrong() {
        Cli.run("tune", "--device", "java").assertError(2, "--device", "OpenCL device", "found java");
        Cli.run("tune", "--device", "reference").assertError(2, "--device", "found reference");
        Cli.run("tune", "--device", "opencl:97.3").assertError(2, "opencl:97.3", "expected");
        Cli.run("tune", "--device", "gpu").assertError(2, "device", "gpu");
        Cli.run("tune", "--shape", "2,3,4").assertError(2, "--shape", "T,N", "'2,3,4'");
        Cli.run("tune", "--shape", "0,3").assertError(2, "--shape", "at least 1", "0,3");
        Cli.run("tune", "--weights", "16").assertError(2, "--weights", "F32, F16, BF16", "'16'");
        Cli.run("tune", "--seconds", 0).assertError(2, "--seconds", "found 0");
        Cli.run("tune", "--seconds", "NaN").assertError(2, "--seconds", "found NaN");
        Cli.run("tune", "--prefix", "x").assertError(2, "--prefix", "MODEL");
        Cli.run("tune", "--forget", "--dry-run").assertError(2, "--forget", "--dry-run");
        Cli.run("tune", model, "--forget").assertError(2, "--forget", "MODEL");
        Cli.run("tune", folder.resolve("none.safetensors")).assertError(2, "none.safetensors");
    }
}

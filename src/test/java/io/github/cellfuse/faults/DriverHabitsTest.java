package io.github.cellfuse.faults;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Drivers that do what drivers do: each habit ends in the bits of java, or in a message that says what it is. */
class DriverHabitsTest {
    private static final int SECONDS = 300;
    private static final Path EXAMPLE = Path.of("examples", "sunspots");

    @TempDir
    static Path shared;

    private static byte[] expected;

    @TempDir
    Path folder;

    @BeforeAll
    static void runOnJava() throws Exception {
        Path output = shared.resolve("java.npy");
        ChildJvm.Result result = ChildJvm.start(Map.of(), List.of(), CellFuse.class, words("java", output))
                .await(SECONDS);
        assertEquals(0, result.exit(), result::err);
        expected = Files.readAllBytes(output);
    }

    private static String[] words(String device, Path output, String... more) {
        List<String> words = new ArrayList<>(List.of(
                "run",
                EXAMPLE.resolve("model.safetensors").toString(),
                EXAMPLE.resolve("input.npy").toString(),
                "-o",
                output.toString(),
                "--device",
                device));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    private ChildJvm.Result run(String habits, String... words) throws Exception {
        Map<String, String> environment = FaultLayer.environment(folder.resolve("control"), habits);
        environment.put("CELLFUSE_CACHE", folder.resolve("cache").toString());
        return ChildJvm.start(environment, List.of(), CellFuse.class, words).await(SECONDS);
    }

    /** Runs the example on the driver and checks every bit. Returns what the run says. */
    private String runsRight(String habits, String... more) throws Exception {
        Path output = folder.resolve("y.npy");
        Files.deleteIfExists(output);
        ChildJvm.Result result = run(habits, words("opencl", output, more));
        assertEquals(0, result.exit(), result::err);
        assertArrayEquals(expected, Files.readAllBytes(output), habits);
        return result.err();
    }

    @ParameterizedTest
    @ValueSource(strings = {"oldinfo", "zerounits", "oldinfo,gpu,zerounits", "name="})
    void whatADriverDoesntTellCostsOnlyADetail(String habits) throws Exception {
        runsRight(habits);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "unavailable | its driver says that it isn't available at present (CL_DEVICE_AVAILABLE)",
                "nocompiler | its driver has no compiler (CL_DEVICE_COMPILER_AVAILABLE), so it takes no kernels",
                "version=OpenCL 1.1 Habit | it offers OpenCL 1.1 Habit; OpenCL 1.2 is needed"
            })
    void aDeviceThatCantBeUsedIsListedAndNotChosen(String habits, String reason) throws Exception {
        ChildJvm.Result list = run(habits, "devices");
        assertEquals(0, list.exit(), list::err);
        assertTrue(list.out().contains("  can't be used    " + reason), list::out);
        assertTrue(list.out().contains("auto chooses java: opencl:0.0 can't be used: " + reason), list::out);

        ChildJvm.Result named = run(habits, words("opencl:0.0", folder.resolve("y.npy")));
        assertEquals(1, named.exit(), named::err);
        assertTrue(named.err().contains("can't be used: " + reason), named::err);

        ChildJvm.Result all = run(habits, words("all", folder.resolve("all.npy")));
        assertEquals(0, all.exit(), all::err);
        assertTrue(all.err().contains("opencl:0.0 is left out: it can't be used: " + reason), all::err);
        assertArrayEquals(expected, Files.readAllBytes(folder.resolve("all.npy")));
    }
}

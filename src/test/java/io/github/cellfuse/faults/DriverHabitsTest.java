package io.github.cellfuse.faults;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import io.github.cellfuse.cli.NpyFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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

    /** A kernel's limit counts, and not only that of its device, which promises more here. */
    @ParameterizedTest
    @ValueSource(strings = {"group=1", "gpu,group=1", "gpu,group=40"})
    void groupsAreAsSmallAsAKernelWantsThem(String habits) throws Exception {
        String said = runsRight(habits);
        boolean stages = habits.startsWith("gpu");
        assertEquals(stages, said.contains("work-items, but the device runs at most"), said);
        if (habits.endsWith("group=1")) {
            runsRight(habits, "--plan", stages ? "hoisted" : "separate");
        }
    }

    /** The first run stores the programs, the second one takes them from disk in vain. */
    @ParameterizedTest
    @ValueSource(strings = {"nokernel", "nolaunch"})
    void aProgramFromDiskThatCantBeUsedIsBuiltAgain(String habit) throws Exception {
        String alien = "version=OpenCL 1.2 Habit,platform=Habits"; // of PoCL's own programs, none would be stored
        assertFalse(runsRight(alien).contains("compiled again"));
        assertFalse(runsRight(alien).contains("compiled again"));
        String second = runsRight(alien + "," + habit);
        assertTrue(second.contains("is compiled again: its cache entry"), second);
        assertTrue(second.contains("CL_INVALID_PROGRAM_EXECUTABLE"), second);
        assertFalse(runsRight(alien).contains("compiled again")); // the good ones are stored now
    }

    /** Nothing has to fail before the chunks are small enough, whatever is small: the buffers or all of the memory. */
    @ParameterizedTest
    @ValueSource(strings = {"largest=300000", "gpu,memory=4000000", "memory=3000000,largest=1000000"})
    void automaticChunksFitTheDevice(String habits) throws Exception {
        String said = runsRight(habits);
        assertFalse(said.contains("going on"), said);
        assertFalse(said.contains("240 rows of 36 steps in 1 chunk"), said);
    }

    /** All LSTMs of a graph share the memory. */
    @Test
    void automaticChunksOfAGraphFitTheDevice() throws Exception {
        Path graph = folder.resolve("graph.onnx");
        ChildJvm.Result converted = ChildJvm.start(
                        Map.of(),
                        List.of(),
                        CellFuse.class,
                        "convert",
                        EXAMPLE.resolve("model.safetensors").toString(),
                        "-o",
                        graph.toString())
                .await(SECONDS);
        assertEquals(0, converted.exit(), converted::err);
        byte[] onJava = null;
        for (String device : List.of("java", "opencl")) {
            Path output = folder.resolve(device + ".npz");
            String[] words = words(device, output);
            words[1] = graph.toString();
            ChildJvm.Result result = run("gpu,memory=4000000", words);
            assertEquals(0, result.exit(), result::err);
            assertFalse(result.err().contains("going on"), result::err);
            assertEquals(device.equals("java"), result.err().contains("240 rows in 1 chunk"), result::err);
            byte[] bytes = Files.readAllBytes(output);
            assertArrayEquals(onJava == null ? bytes : onJava, bytes);
            onJava = bytes;
        }
    }

    /** Later versions of PoCL have other names, and the same plans. */
    @Test
    void pocl5RunsAsPocl3Does() throws Exception {
        String later = "name=cpu-haswell-AMD EPYC 7B12,version=OpenCL 3.0 PoCL HSTR: cpu-x86_64-pc-linux-gnu-haswell";
        assertEquals(plan(runsRight("none")), plan(runsRight(later)));
    }

    /** Returns the plan and the tile. The estimate between them depends on the processor's name. */
    private static String plan(String said) {
        return said.lines()
                .filter(line -> line.contains(" plan ("))
                .findFirst()
                .orElseThrow()
                .replaceAll("\\(.*\\)", "");
    }

    @Test
    void aRowThatIsTooLargeIsRefusedWithItsBytes() throws Exception {
        ChildJvm.Result result = run("largest=60000", words("opencl", folder.resolve("y.npy"), "--batch", "240"));
        assertEquals(2, result.exit(), result::err);
        assertTrue(
                result.err().matches("(?s).*the batch needs \\d+ bytes, but .* allocates at most 60000 at once; .*"),
                result::err);
        Path longRow = NpyFiles.zeros(folder.resolve("long.npy"), 1, 100_000, 2);
        String[] words = words("opencl", folder.resolve("y.npy"));
        words[2] = longRow.toString();
        ChildJvm.Result row = run("largest=60000", words);
        assertEquals(2, row.exit(), row::err);
        assertTrue(
                row.err().contains("at once; a single row of 100000 steps is too large: cut it, or use another device"),
                row::err);
    }

    /** The rows are halved until the driver lets them pass, and the message says why that may be. */
    @Test
    void aTimeLimitOfAGpuIsNamed() throws Exception {
        String said = runsRight("gpu,timelimit=5000");
        assertTrue(said.contains("CL_OUT_OF_RESOURCES"), said);
        assertTrue(said.contains("its time limit, often 2 to 10 seconds: a smaller batch (--batch) stays below"), said);
        assertTrue(said.contains("going on with half as many rows at a time"), said);
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

        String model = EXAMPLE.resolve("model.safetensors").toString();
        ChildJvm.Result verified = run(habits, "verify", model, "--all-devices", "--shape", "2,3");
        assertEquals(0, verified.exit(), verified::err);
        assertTrue(verified.err().contains("opencl:0.0 is left out: it can't be used: " + reason), verified::err);
    }
}

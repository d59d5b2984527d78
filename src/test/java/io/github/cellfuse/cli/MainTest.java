package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The real program in a process of its own: what only the process as a whole shows. */
class MainTest {
    private static final int HEAP_MIB = 64;

    @TempDir
    Path folder;

    private Path out;
    private Path model;

    @BeforeEach
    void writeModel() {
        out = Path.of("out.npy");
        model = folder.resolve("model.safetensors");
        int inputs = 64;
        Random random = new Random(1);
        LstmWeights weights = LstmWeights.builder(inputs, 1)
                .input(RandomLstm.values(random, 4 * inputs, 1))
                .recurrent(RandomLstm.values(random, 4, 1))
                .build();
        PyTorchLstm.save(new LstmModel(Direction.FORWARD, List.of(List.of(weights))), model, false, "");
    }

    /** Zeros, as a sparse file that takes no room on the disk. */
    private Path input(long rows, int steps, int features) throws IOException {
        Path file = folder.resolve("x.npy");
        byte[] header =
                NpyFiles.header("<f4", rows + "," + steps + "," + features, 0).array();
        try (RandomAccessFile x = new RandomAccessFile(file.toFile(), "rw")) {
            x.write(header);
            x.setLength(header.length + rows * steps * features * Float.BYTES);
        }
        return file;
    }

    private Process start(Object... arguments) throws IOException {
        return program(arguments).start();
    }

    private ProcessBuilder program(Object... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + HEAP_MIB + "m",
                "-cp",
                classPath(),
                CellFuse.class.getName()));
        Stream.of(arguments).map(Object::toString).forEach(command::add);
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("stdout").toFile())
                .redirectError(folder.resolve("stderr").toFile());
    }

    /** Without the tests' own classes and resources, such as their configuration of the log. */
    private static String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("test-classes"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private int run(Object... arguments) throws IOException, InterruptedException {
        Process process = start(arguments);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return process.exitValue();
    }

    private String stdout() throws IOException {
        return Files.readString(folder.resolve("stdout"));
    }

    private String stderr() throws IOException {
        return Files.readString(folder.resolve("stderr"));
    }

    @Test
    void theVersionIsAllThatVersionPrints() throws Exception {
        assertEquals(0, run("--version"));
        assertEquals("", stderr());
        assertTrue(stdout().matches("cellfuse \\S+\\R"), stdout());
        assertEquals(2, run("run", "no.safetensors", "x.npy", "-o", out));
        assertEquals("", stdout());
        assertTrue(stderr().matches("cellfuse: error: no.safetensors: no such file\\R"), stderr());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aReportThatAFullDiskCutsOffIsAFailure() throws Exception {
        ProcessBuilder full = program("info", model, "--json")
                .redirectOutput(Path.of("/dev/full").toFile());
        Process process = full.start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        assertEquals(1, process.exitValue());
        assertTrue(stderr().matches("cellfuse: error: stdout: writing failed: .*\\R"), stderr());
    }

    @Test
    void aReaderThatLeavesIsNoFailure() throws Exception {
        Process process = program("run", "--help")
                .redirectOutput(ProcessBuilder.Redirect.PIPE)
                .start();
        // Long before Java has started, so that all of it goes nowhere.
        process.getInputStream().close();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
        assertEquals("", stderr());
    }

    /** A cell update that rounds once more than the contract has it. */
    @Test
    void anInexactDeviceIsWarnedOfOnceAndHeldToItsBound() throws Exception {
        assertEquals(0, verifyWith("fma(f, c, i * g)", "f * c + i * g"));
        assertTrue(stderr().matches("cellfuse: warning: opencl:0.0.* tolerance tier: .*self-test.*\\R"), stderr());
        assertTrue(stdout().contains("bits differ from java, which this device's tier allows"), stdout());
    }

    /** Another gate's activation. */
    @Test
    void aWrongDeviceFails() throws Exception {
        assertEquals(1, verifyWith("floatv o = sigmoid(ao);", "floatv o = sigmoid(ai);"));
        assertTrue(stdout().contains("FAILED: ") && stdout().contains("ERRORS EXCEED THEIR BOUND"), stdout());
    }

    /** Verifies OpenCL with one expression of its cell update replaced. */
    private int verifyWith(String expression, String other) throws Exception {
        Path kernels = Files.createDirectory(folder.resolve("kernels"));
        try (Stream<Path> files = Files.list(Path.of("kernels"))) {
            for (Path file : files.toList()) {
                String source = Files.readString(file);
                assertTrue(!file.endsWith("lstm_cell.cl") || source.contains(expression), source);
                Files.writeString(kernels.resolve(file.getFileName()), source.replace(expression, other));
            }
        }
        ProcessBuilder program = program(
                "verify", model, "--device", "opencl", "--plan", "fused", "--shape", "20,30", "--case", "random");
        // Nobody else has these programs, so they aren't stored.
        program.command().addAll(1, List.of("-Dcellfuse.kernels=" + kernels, "-Dcellfuse.cache=off"));
        Process process = program.start();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return process.exitValue();
    }

    /** An input of 256 MB through a heap of 64. */
    @Test
    void inputsMayBeLargerThanMemory() throws Exception {
        Path x = input(10_000, 100, 64);
        assertEquals(0, run("run", model, x, "-o", out, "--device", "java", "--quiet"));
        assertEquals("", stdout() + stderr());
        assertEquals(10_000L * 100, NpyFiles.read(folder.resolve(out)).length);
    }

    /** Nor what the library warns of, such as tuned plans in a folder that is a file. */
    @Test
    void aQuietRunPrintsErrorsOnly() throws Exception {
        Path x = input(1, 2, 64);
        List<Object> words = new ArrayList<>(List.of("run", model, x, "-o", out, "--device", "opencl"));
        for (String quiet : List.of("", "-q", "--quiet")) {
            if (!quiet.isEmpty()) {
                words.add(quiet);
                words.add("--overwrite");
            }
            ProcessBuilder program = program(words.toArray());
            program.command().add(1, "-Dcellfuse.tuned=" + x);
            Process process = program.start();
            assertTrue(process.waitFor(120, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), stderr());
            assertEquals(quiet.isEmpty(), stderr().contains("cellfuse: warning: "), stderr());
            assertEquals(quiet.isEmpty(), !stderr().isEmpty(), stderr());
            words.subList(7, words.size()).clear();
        }
    }

    @Test
    void withoutMemoryItEndsWithAdvice() throws Exception {
        Path x = input(10_000, 100, 64);
        assertEquals(1, run("run", model, x, "-o", out, "--device", "java", "--quiet", "--batch", 10_000));
        assertTrue(
                stderr().matches("cellfuse: error: out of memory; use fewer rows at a time .run --batch.*-Xmx.*\\R"),
                stderr());
        assertEquals("model.safetensors stderr stdout x.npy", NpyFiles.names(folder));
    }

    /** As after Ctrl-C or kill. A run of several chunks can be continued: see ResumeTest. */
    @Test
    void anEndedRunOfOneChunkLeavesNothingBehind() throws Exception {
        Path x = input(32, 20_000, 64);
        Process process = start("run", model, x, "-o", out, "--device", "java", "--threads", 1, "--batch", 32);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!NpyFiles.names(folder).contains(".tmp") && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        assertTrue(NpyFiles.names(folder).contains(".tmp"), NpyFiles.names(folder));
        process.destroy();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertTrue(process.exitValue() > 2, "exit code " + process.exitValue());
        assertEquals("model.safetensors stderr stdout x.npy", NpyFiles.names(folder));
    }
}

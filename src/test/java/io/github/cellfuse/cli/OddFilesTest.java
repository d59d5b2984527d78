package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Names and things that are no files, or no usable ones, wherever a command reads: one line and exit code 2, at once.
 */
class OddFilesTest {
    private static final Path MODEL =
            Path.of("examples/sunspots/model.safetensors").toAbsolutePath();
    private static final Path INPUT = Path.of("examples/sunspots/input.npy").toAbsolutePath();

    @TempDir
    Path folder;

    private Path out;

    @BeforeEach
    void nameOutput() {
        out = folder.resolve("y.npy");
    }

    /** Every command that reads a file, with {@code file} in its place. */
    private List<Object[]> commands(Path file) {
        return List.of(
                new Object[] {"run", file, INPUT, "-o", out, "--device", "java"},
                new Object[] {"run", MODEL, file, "-o", out, "--device", "java"},
                new Object[] {"run", MODEL, INPUT, "-o", out, "--device", "java", "--lengths", file},
                new Object[] {"run", MODEL, INPUT, "-o", out, "--device", "java", "--h0", file},
                new Object[] {"verify", file, INPUT},
                new Object[] {"verify", MODEL, file, "--device", "java"},
                new Object[] {"info", file},
                new Object[] {"convert", file, "-o", folder.resolve("m.onnx")},
                new Object[] {"tune", file, "--shape", "1,2"},
                new Object[] {"bench", "--compare", file});
    }

    private void assertRefused(Path file, Object... parts) {
        assertRefused(commands(file), file, parts);
    }

    private void assertRefused(List<Object[]> commands, Path file, Object... parts) {
        List<Object> all = new ArrayList<>(List.of(parts));
        all.add(file);
        for (Object[] command : commands) {
            Cli.Result result = Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> Cli.run(command));
            result.assertError(2, all.toArray());
        }
        assertEquals(List.of(), Files.exists(out) ? List.of(out) : List.of());
    }

    @Test
    void aNameBelowAFile() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        for (String name : List.of("x", "x.npy", "x.npz", "x.onnx", "x.keras", "x.safetensors")) {
            assertRefused(file.resolve(name));
        }
    }

    @Test
    void aNameThatIsTooLong() {
        for (String ending : List.of("", ".npy", ".npz", ".onnx", ".keras", ".safetensors")) {
            assertRefused(folder.resolve("n".repeat(300) + ending));
        }
    }

    @Test
    void aNameThatIsTooLongOrBelowAFileForTheOutput() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        for (Path target : List.of(file.resolve("y.npy"), folder.resolve("n".repeat(300) + ".npy"))) {
            Cli.run("run", MODEL, INPUT, "-o", target, "--device", "java").assertError(2, target);
        }
        Cli.run("run", MODEL, INPUT, "-o", file.resolve("y.npy")).assertError(2, file + " is a file, not a folder");
        for (Path target : List.of(file.resolve("m.onnx"), folder.resolve("n".repeat(300) + ".onnx"))) {
            Cli.run("convert", MODEL, "-o", target).assertError(2, target);
        }
    }

    @Test
    void aFolder() throws Exception {
        for (String name : List.of("folder", "folder.npz", "folder.onnx")) {
            assertRefused(Files.createDirectory(folder.resolve(name)), "found a folder");
        }
    }

    @Test
    void anEmptyFile() throws Exception {
        for (String name : List.of("empty", "empty.npz", "empty.onnx", "empty.keras")) {
            assertRefused(Files.createFile(folder.resolve(name)));
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aDeviceThatNeverEnds() {
        assertRefused(Path.of("/dev/zero"), "found a device");
    }

    /** Arrays come through pipes, for which a run waits; models don't. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aPipeThatNobodyWritesTo() throws Exception {
        for (String name : List.of("pipe", "pipe.npz", "pipe.onnx", "pipe.keras")) {
            Path pipe = folder.resolve(name);
            assertEquals(
                    0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
            List<Object[]> ofModels = commands(pipe).stream()
                    .filter(command -> command[1] != MODEL)
                    .toList();
            assertEquals(6, ofModels.size());
            assertRefused(ofModels, pipe, "found a device or a pipe");
        }
    }

    /** Larger than the memory, and without a byte on the disk. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aHugeSparseFile() throws Exception {
        for (String name : List.of("sparse", "sparse.npz", "sparse.onnx", "sparse.keras")) {
            Path sparse = folder.resolve(name);
            try (RandomAccessFile file = new RandomAccessFile(sparse.toFile(), "rw")) {
                file.setLength(100L << 30);
            }
            assertRefused(sparse);
        }
    }
}

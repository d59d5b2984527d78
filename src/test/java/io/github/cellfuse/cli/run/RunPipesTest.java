package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.npy.Python;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs in the pipelines of a shell: they give the bits of runs over files. */
@DisabledOnOs(OS.WINDOWS) // it has no such shell
class RunPipesTest {
    @TempDir
    private Path folder;

    private record Ended(int code, String err) {}

    @BeforeEach
    void makeFiles() {
        PyTorchLstm.save(
                RandomLstm.model(new Random(1), Direction.FORWARD, 2, 3, 5, false, true),
                folder.resolve("m.safetensors"),
                false,
                "");
        Random random = new Random(2);
        float[] x = new float[400 * 6 * 3];
        for (int k = 0; k < x.length; k++) {
            x[k] = (float) random.nextGaussian();
        }
        NpyFiles.floats(folder.resolve("x.npy"), x, 400, 6, 3);
        Cli.run(
                        "run",
                        folder.resolve("m.safetensors"),
                        folder.resolve("x.npy"),
                        "-o",
                        folder.resolve("y.npy"),
                        "-q",
                        "--device",
                        "java")
                .assertDone();
    }

    /** Runs a script of bash, in which {@code run} is {@code cellfuse run m.safetensors}, 7 rows at a time. */
    private Ended bash(String script) throws Exception {
        Path err = folder.resolve("err.txt");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(
                        "bash",
                        "-c",
                        "set -o pipefail; run() { \"$JAVA\" -cp \"$CP\" io.github.cellfuse.cli.CellFuse run"
                                + " m.safetensors \"$@\" --device java --batch 7; }; " + script)
                .directory(folder.toFile())
                .redirectError(err.toFile());
        builder.environment().put("JAVA", java);
        builder.environment().put("CP", System.getProperty("java.class.path"));
        Process process = builder.start();
        process.getOutputStream().close();
        assertEquals("", new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return new Ended(process.exitValue(), Files.readString(err));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cat x.npy | run - -o - > out.npy",
                "cat x.npy | run - -o out.npy",
                "cat x.npy | run /dev/stdin -o /dev/stdout | cat > out.npy",
                "run <(cat x.npy) -o out.npy",
                "run - -o - < x.npy > out.npy",
                "mkfifo f g; cat g > out.npy & cat x.npy > f & run f -o g; wait",
                "run x.npy -o - | cat > out.npy",
            })
    void haveTheBitsOfFiles(String script) throws Exception {
        Ended ended = bash(script);
        assertEquals(0, ended.code, ended.err);
        assertTrue(ended.err.contains("400 rows of 6 steps in 58 chunks"), ended.err);
        assertEquals(-1, Files.mismatch(folder.resolve("y.npy"), folder.resolve("out.npy")));
        assertFalse(NpyFiles.names(folder).contains(".journal"), NpyFiles.names(folder));
    }

    @Test
    void processSubstitutionTakesTheOutput() throws Exception {
        Ended ended =
                bash("run <(cat x.npy) -o >(cat > part; mv part out.npy); while ! [ -e out.npy ]; do sleep 0.1; done");
        assertEquals(0, ended.code, ended.err);
        assertEquals(-1, Files.mismatch(folder.resolve("y.npy"), folder.resolve("out.npy")));
    }

    @Test
    void numPyReadsAPipe() throws Exception {
        assumeTrue(Python.hasNumPy(), "no Python with NumPy here");
        Ended ended = bash("""
                cat x.npy | run - -o - -q | /usr/bin/python3 -c '
                import io, sys, numpy as np
                y = np.load(io.BytesIO(sys.stdin.buffer.read()))
                assert y.tobytes() == np.load("y.npy").tobytes()'
                """);
        assertEquals(0, ended.code, ended.err);
    }

    /** Time first, Fortran order, states and archives go through temporary files. */
    @Test
    void whatHasNoOrderOfRowsWorksToo() throws Exception {
        assumeTrue(Python.hasNumPy(), "no Python with NumPy here");
        Ended ended = bash("""
                /usr/bin/python3 -c '
                import numpy as np
                x = np.load("x.npy")
                np.save("f.npy", np.asfortranarray(x)); np.save("t.npy", x.swapaxes(0, 1).copy())
                np.save("n.npy", np.arange(400) % 7)'
                cat f.npy | run - -o - -q > f.out.npy
                cat t.npy | run - -o - --layout TNC -q > t.out.npy
                run t.npy -o t.file.npy --layout TNC -q
                run x.npy -o h.file.npy --output-name h_n --lengths n.npy -q
                run <(cat x.npy) -o - --output-name h_n --lengths <(cat n.npy) -q > h.out.npy
                run x.npy -o n.file.npy --lengths n.npy -q
                run <(cat x.npy) -o - --lengths n.npy -q > n.out.npy
                mkfifo out.npz; run x.npy -o file.npz -q; cat out.npz > pipe.npz & run x.npy -o out.npz -q; wait
                """);
        assertEquals(0, ended.code, ended.err);
        assertEquals("", ended.err);
        assertSame("y.npy", "f.out.npy");
        assertSame("t.file.npy", "t.out.npy");
        assertSame("h.file.npy", "h.out.npy");
        assertSame("n.file.npy", "n.out.npy");
        assertSame("file.npz", "pipe.npz");
    }

    private void assertSame(String one, String other) throws IOException {
        assertEquals(-1, Files.mismatch(folder.resolve(one), folder.resolve(other)), other);
    }

    @Test
    void otherCommandsReadPipes() throws Exception {
        assertArrayEquals(new long[] {400, 6, 5}, NpyFiles.shape(folder.resolve("y.npy")));
        Ended ended = bash("cat x.npy | \"$JAVA\" -cp \"$CP\" io.github.cellfuse.cli.CellFuse verify m.safetensors -"
                + " --device java > table.txt");
        assertEquals(0, ended.code, ended.err);
        assertTrue(Files.readString(folder.resolve("table.txt")).contains("java"));
    }

    @Test
    void errorsAreOneLine() throws Exception {
        assertError(2, "stdin: truncated: expected 28800 bytes", "head -c 1000 x.npy | run - -o - -q > out.npy");
        assertError(2, "stdin: expected a .npy file, found that it ended", ": | run - -o - -q");
        assertError(2, "found text with numbers; convert it in Python: ", "echo 1,2 | run - -o - -q");
        assertError(2, "--resume: expected files, found a pipe", "cat x.npy | run - -o o.npy -q --resume");
        assertError(2, "-: expected one input on stdin, found 2", "cat x.npy | run - -o o.npy --h0 - -q");
        assertEquals("err.txt m.safetensors out.npy x.npy y.npy", NpyFiles.names(folder));
        assertError(1, "stdout: the reader has gone away", "cat x.npy | run - -o - -q | head -c 100 > out.npy");
        // The writer goes on, but nobody waits for it.
        assertError(
                1,
                "stdout: the reader has gone away",
                "mkfifo f; (head -c 9000 x.npy; sleep 50) > f &"
                        + " run f -o - -q | head -c 100 > out.npy; e=$?; kill %1; exit $e");
    }

    private void assertError(int code, String message, String script) throws Exception {
        Ended ended = bash(script);
        assertEquals(code, ended.code, ended.err);
        assertTrue(ended.err.startsWith("cellfuse: error: ") && ended.err.contains(message), ended.err);
        assertEquals(1, ended.err.lines().count(), ended.err);
    }
}

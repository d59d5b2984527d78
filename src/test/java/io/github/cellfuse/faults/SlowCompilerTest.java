package io.github.cellfuse.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.cli.CellFuse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever waits for a driver that compiles sees why. */
class SlowCompilerTest {
    private static final int SECONDS = 300, MICROSECONDS = 800_000;
    private static final Path EXAMPLE = Path.of("examples", "sunspots");

    @TempDir
    private Path folder;

    @Test
    void runSaysOnceThatTheDriverCompilesUnlessItIsToBeQuiet() throws Exception {
        Path control = folder.resolve("control");
        Map<String, String> environment = FaultLayer.environment(control);
        run(environment); // the layer writes its table; the driver may compile now, and has its kernels from now on
        FaultLayer.delayFromTheBeginning(control, "clBuildProgram", MICROSECONDS);
        assertEquals(1, Collections.frequency(run(environment), true));
        assertEquals(List.of(), run(environment, "--quiet"));
    }

    /** Returns for each line on stderr whether it says that the driver compiles. */
    private List<Boolean> run(Map<String, String> environment, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of(
                "run",
                EXAMPLE.resolve("model.safetensors").toString(),
                EXAMPLE.resolve("input.npy").toString(),
                "-o",
                folder.resolve("y.npy").toString(),
                "--overwrite",
                "--device",
                "opencl:0.0"));
        words.addAll(List.of(more));
        ChildJvm.Result result = ChildJvm.start(environment, List.of(), CellFuse.class, words.toArray(String[]::new))
                .await(SECONDS);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        return result.err()
                .lines()
                .map(line -> line.startsWith("cellfuse: opencl:0.0 (") && line.contains("): compiling kernels"))
                .toList();
    }
}

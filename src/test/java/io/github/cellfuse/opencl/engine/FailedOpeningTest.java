package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.faults.FaultLayer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What fails to open closes what it has opened before. That matters where the context lives on: the context of a tuner
 * or of a self-test, and of an engine whose user goes on with a smaller batch.
 */
class FailedOpeningTest {
    private static final int SECONDS = 300;

    @TempDir
    private Path folder;

    @Test
    void whatFailsToOpenLeavesNothingOpen() throws Exception {
        Map<String, String> environment = FaultLayer.environment(folder.resolve("control"));
        ChildJvm.Result result =
                ChildJvm.start(environment, List.of(), FailedOpeningMain.class).await(SECONDS);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        List<String> lines = result.out().lines().toList();
        assertEquals(
                List.of(),
                lines.stream().filter(line -> line.startsWith("LEFT OPEN")).toList());
        assertEquals(18, lines.size(), lines::toString);
        assertTrue(lines.stream().noneMatch(line -> line.endsWith(": 0")), () -> "nothing failed: " + lines);
    }
}

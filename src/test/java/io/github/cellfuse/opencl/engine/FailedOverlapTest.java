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
 * A batch that several threads move in parts fails in any of them: the caller gets the failure, no thread goes on, no
 * object is left open, and the session's next run gives the right bits.
 */
class FailedOverlapTest {
    private static final int SECONDS = 300;

    @TempDir
    private Path folder;

    @Test
    void everyCallThatMovesAPartMayFail() throws Exception {
        Map<String, String> environment = FaultLayer.environment(folder.resolve("control"));
        ChildJvm.Result result =
                ChildJvm.start(environment, List.of(), FailedOverlapMain.class).await(SECONDS);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        List<String> lines = result.out().lines().toList();
        assertEquals(
                List.of(),
                lines.stream().filter(line -> line.startsWith("NOT HANDLED")).toList());
        assertEquals(6, lines.size(), lines::toString);
        assertTrue(lines.stream().noneMatch(line -> line.endsWith(": 0")), () -> "nothing failed: " + lines);
    }
}

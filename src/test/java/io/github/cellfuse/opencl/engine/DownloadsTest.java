package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.faults.FaultLayer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without y, a run downloads the final states and nothing else. */
class DownloadsTest {
    private static final int SECONDS = 300;

    @TempDir
    private Path folder;

    @Test
    void withoutYOnlyTheStatesComeBack() throws Exception {
        Map<String, String> environment = FaultLayer.environment(folder.resolve("control"));
        ChildJvm.Result result =
                ChildJvm.start(environment, List.of(), DownloadsMain.class).await(SECONDS);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        List<String> lines = result.out().lines().toList();
        assertEquals(2, lines.size(), result::out);
        for (String line : lines) {
            int[] counts = Stream.of(line.substring(line.indexOf(": ") + 2).split(" "))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            assertTrue(counts[0] > 1, () -> "downloads with y: " + line);
            assertEquals(1, counts[1], () -> "downloads without y: " + line);
            if (line.startsWith("in parts: ")) {
                assertTrue(counts[3] > 4, () -> "x goes up in parts without y, too: " + line);
            }
        }
    }
}

package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.faults.FaultLayer;
import io.github.cellfuse.implementations.Implementation;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Whatever OpenCL call fails once, or reads wrong values from then on, in whichever of two devices: the same bits. */
@EnabledOnOs(OS.LINUX)
class FaultyJobTest {
    private static final int OF_A_FUNCTION = Boolean.getBoolean("cellfuse.long") ? 20 : 3;

    @TempDir
    private Path folder;

    @Test
    void aCallThatFailsDoesNotShowInTheResult() throws Exception {
        Matcher end = run("" + OF_A_FUNCTION);
        assertTrue(Integer.parseInt(end.group(1)) >= 30, end.group());
        assertTrue(Integer.parseInt(end.group(2)) >= 10, end.group());
    }

    /** Of the reads of the whole batch, the last ones may be of rows that another device has done, too. */
    @Test
    void aDeviceThatLiesDoesNotShowInTheResult() throws Exception {
        Matcher end = run("" + 3 * OF_A_FUNCTION, "lies");
        assertTrue(Integer.parseInt(end.group(1)) == 6 * OF_A_FUNCTION, end.group());
        assertTrue(Integer.parseInt(end.group(2)) >= 3 * OF_A_FUNCTION, end.group());
    }

    private Matcher run(String... words) throws Exception {
        Assumptions.assumeTrue(Implementation.POCL.wanted(), "not run: -Dcellfuse.implementations leaves PoCL out");
        Map<String, String> environment = new HashMap<>(FaultLayer.environment(folder.resolve("control")));
        environment.put("POCL_DEVICES", "pthread pthread");
        ChildJvm.Result result = ChildJvm.start(environment, List.of(), FaultyJobMain.class, words)
                .await(300);
        assertEquals(0, result.exit(), result::err);
        Matcher end = Pattern.compile("faults (\\d+), noticed (\\d+)")
                .matcher(result.out().strip());
        assertTrue(end.matches(), result.out());
        return end;
    }
}

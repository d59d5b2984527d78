package io.github.cellfuse.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.implementations.Implementation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** A program without a log must be able to see what it lacks. */
@EnabledOnOs(OS.LINUX)
class DeviceWarningTest {
    @Test
    void poclsDeviceWarnsOfMissingSignalChaining() throws Exception {
        Assumptions.assumeTrue(Implementation.POCL.wanted(), "not run: -Dcellfuse.implementations leaves PoCL out");
        Map<String, String> environment = new HashMap<>(Implementation.POCL.environment());
        assertEquals("", warnings(environment));
        environment.put("LD_PRELOAD", null);
        String warnings = warnings(environment);
        assertTrue(warnings.startsWith("opencl:0.0: PoCL's compiler takes over signals"), warnings);
        assertTrue(warnings.contains("LD_PRELOAD=$JAVA_HOME/lib/libjsig.so"), warnings);
    }

    private static String warnings(Map<String, String> environment) throws Exception {
        ChildJvm.Result result =
                ChildJvm.start(environment, List.of(), DevicesMain.class).await(120);
        assertEquals(0, result.exit(), result.err());
        return result.out();
    }
}

package io.github.cellfuse.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.cl.ChildJvm;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A JVM that checks native calls gives native code copies of arrays, and warns of wrong calls. */
class CheckedJniTest {
    @Test
    void devicesHaveTheirNamesAndCompute() throws Exception {
        ChildJvm.Result result = ChildJvm.start(Map.of(), List.of("-Xcheck:jni"), CheckedJniMain.class)
                .await(300);
        assertEquals(0, result.exit(), result.err());
        Device.all()
                .forEach(info -> assertTrue(
                        result.out().contains(info.device() + ": " + info.name() + System.lineSeparator()),
                        result.out()));
        assertTrue(result.out().contains("the same bits: true"), result.out());
        assertFalse(result.out().contains("WARNING"), result.out());
    }
}

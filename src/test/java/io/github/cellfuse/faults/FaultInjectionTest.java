package io.github.cellfuse.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every OpenCL call fails once: the documented exception, no object left behind, and the next run is right. */
class FaultInjectionTest {
    private static final int SECONDS = 900;

    /** The table of calls that a process without a fault leaves. */
    private static byte[] usualTable;

    @TempDir
    Path folder;

    /** Of the functions that are called often, a few calls. */
    @Test
    void callsOfEveryFunctionMayFail() throws Exception {
        injectFaults(5);
    }

    @Test
    @Tag("soak")
    void everySingleCallMayFail() throws Exception {
        injectFaults(Integer.MAX_VALUE);
    }

    private void injectFaults(int mostOfAFunction) throws Exception {
        List<String> lines = run(mostOfAFunction);
        assertEquals(List.of(), lines.subList(0, lines.size() - 1));
        assertTrue(lines.get(lines.size() - 1).startsWith(FaultMain.DONE), lines::toString);
    }

    /** A machine whose driver doesn't answer has a problem that names the call, and java runs. */
    @ParameterizedTest
    @CsvSource({
        "clGetPlatformIDs, 1",
        "clGetPlatformIDs, 2",
        "clGetPlatformInfo, 1",
        "clGetPlatformInfo, 5",
        "clGetDeviceIDs, 1",
        "clGetDeviceIDs, 2",
        "clGetDeviceInfo, 1",
        "clGetDeviceInfo, 3",
        "clGetDeviceInfo, 20",
        "clCreateContext, 1"
    })
    void everyQueryOfTheMachineMayFail(String function, int call) throws Exception {
        Path control = folder.resolve("control");
        Map<String, String> environment = FaultLayer.environment(control);
        Files.write(control, usualTable(control, environment));
        FaultLayer.failFromTheBeginning(control, function, call, -5);
        ChildJvm.Result result =
                ChildJvm.start(environment, List.of(), FaultyProbeMain.class).await(SECONDS);
        assertEquals(0, result.exit(), result::err);
        boolean usable = result.out().contains("devices: 1");
        boolean named = result.out().contains(function + " failed with CL_OUT_OF_RESOURCES (-5)");
        // A few queries are for details that a device may lack; without those it is used as always.
        assertTrue(named || usable && result.out().contains("opened: opencl"), () -> result.out() + result.err());
        if (!usable) {
            assertTrue(result.out().contains("opened: java"), result::out);
        }
    }

    /** What the layer has written into {@code control} after a process that it left alone. */
    private static synchronized byte[] usualTable(Path control, Map<String, String> environment) throws Exception {
        if (usualTable == null) {
            ChildJvm.Result usual = ChildJvm.start(environment, List.of(), FaultyProbeMain.class)
                    .await(SECONDS);
            assertEquals(
                    List.of("devices: 1", "opened: opencl"),
                    usual.out().lines().limit(2).toList(),
                    usual::err);
            usualTable = Files.readAllBytes(control);
        }
        return usualTable;
    }

    private List<String> run(int mostOfAFunction) throws Exception {
        Map<String, String> environment = FaultLayer.environment(folder.resolve("control"));
        ChildJvm.Result result = ChildJvm.start(environment, List.of(), FaultMain.class, "" + mostOfAFunction)
                .await(SECONDS);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        return result.out().lines().toList();
    }
}

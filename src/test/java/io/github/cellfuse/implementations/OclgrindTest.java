package io.github.cellfuse.implementations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * On the simulator, which finds accesses outside a buffer, data races and reads of what nobody wrote. It must find
 * none.
 */
class OclgrindTest extends ImplementationContract {
    private static final Map<String, String> RACES = Map.of("OCLGRIND_DATA_RACES", "1");

    /** Without optimisation, whose instruction {@code freeze} the check of Oclgrind 21.10 doesn't know. */
    private static final Map<String, String> UNINITIALIZED =
            Map.of("OCLGRIND_UNINITIALIZED", "1", "OCLGRIND_BUILD_OPTIONS", "-Drestrict= -cl-opt-disable");

    OclgrindTest() {
        super(Implementation.OCLGRIND);
    }

    @TestFactory
    @Override
    Stream<DynamicTest> everyTestThatIsMarkedForIt() throws Exception {
        return tests(EveryImplementation.TAG, RACES);
    }

    @TestFactory
    Stream<DynamicTest> nothingIsReadThatWasNotWritten() throws Exception {
        return tests(EveryImplementation.WHOLE_BUFFERS, UNINITIALIZED);
    }

    /** Silence means something only if faults are reported. */
    @Test
    void whatKernelsDoWrongIsReported() throws Exception {
        Assumptions.assumeTrue(Implementation.OCLGRIND.wanted(), "not run");
        String races = reported(RACES);
        assertTrue(races.contains("Invalid write of size 4 at global memory"), races);
        assertTrue(races.contains("Write-write data race at global memory"), races);
        assertTrue(races.contains("data race at local memory"), races);
        String uninitialized = reported(UNINITIALIZED);
        assertTrue(uninitialized.contains("Uninitialized value written to global memory"), uninitialized);
    }

    private static String reported(Map<String, String> environment) throws Exception {
        ChildJvm.Result result = run(Implementation.OCLGRIND, environment, FaultyKernels.class);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        return complaints(result);
    }
}

package io.github.cellfuse.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.implementations.Implementation;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An engine, a session or streams that were dropped without close() are one warning each, with the place. */
class ForgottenCloseTest {
    private static final Pattern WARNING = Pattern.compile("warning: (.*) was dropped without close\\(\\); (.*)");

    @ParameterizedTest
    @CsvSource({"java, 'the java engine; its threads end now'", "reference, 'the reference engine; its threads end now'"
    })
    void aDroppedEngineOnTheHostEndsItsThreads(String device, String warning) throws Exception {
        ChildJvm.Result result = run(device, true);
        // A session or streams on the host have nothing but memory of the heap.
        assertEquals(List.of(warning), warnings(result));
        assertTrue(result.err().contains("ForgetfulMain.dropEngine"), result.err());
        assertEquals("threads left: 0", result.out().strip());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatHoldsMemoryOfADeviceIsReported(boolean traced) throws Exception {
        ChildJvm.Result result = run("opencl:0.0", traced);
        String hint = traced ? "" : ". -Dcellfuse.leaks=true tells where it was opened";
        assertEquals(
                List.of(
                        "a session of the engine on X; its memory is held until the engine is closed" + hint,
                        "a set of streams; its memory is held until its session is closed" + hint,
                        "the engine on X; its memory is held until the process ends" + hint),
                warnings(result));
        for (String place : List.of("dropEngine", "dropSession", "dropStreams")) {
            assertEquals(traced, result.err().contains("ForgetfulMain." + place), result.err());
        }
        assertFalse(result.err().contains("ForgetfulMain.closeAll"), result.err());
        assertEquals("threads left: 0", result.out().strip());
    }

    private static ChildJvm.Result run(String device, boolean traced) throws Exception {
        List<String> options = traced ? List.of("-Dcellfuse.leaks=true") : List.of();
        ChildJvm.Result result = ChildJvm.start(Implementation.POCL.environment(), options, ForgetfulMain.class, device)
                .await(120);
        assertEquals(0, result.exit(), result::err);
        return result;
    }

    private static List<String> warnings(ChildJvm.Result result) {
        return result.err()
                .lines()
                .map(WARNING::matcher)
                .filter(warning -> warning.find())
                .map(warning -> warning.group(1).replaceAll("opencl:0.0 \\(.*\\)", "X") + "; " + warning.group(2))
                .sorted()
                .toList();
    }
}

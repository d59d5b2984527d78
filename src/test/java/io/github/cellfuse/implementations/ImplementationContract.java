package io.github.cellfuse.implementations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.cellfuse.cl.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The tests marked {@link EveryImplementation}, on one implementation, in a process of its own. */
abstract class ImplementationContract {
    /** These implementations' compilers are slow, and the machine may be busy. */
    private static final int SECONDS = 1200;

    private final Implementation implementation;

    ImplementationContract(Implementation implementation) {
        this.implementation = implementation;
    }

    @TestFactory
    Stream<DynamicTest> everyTestThatIsMarkedForIt() throws Exception {
        return tests(EveryImplementation.TAG + " | " + EveryImplementation.SEVERAL_THREADS, Map.of());
    }

    /** A test for each that has {@code tag}, run with {@code environment}; and one of how the process ended. */
    final Stream<DynamicTest> tests(String tag, Map<String, String> environment) throws Exception {
        if (!implementation.wanted()) {
            // A test that is skipped is counted; a factory that is skipped isn't.
            return Stream.of(dynamicTest(
                    implementation.toString(),
                    () -> Assumptions.abort("not run: it isn't one of -Dcellfuse.implementations")));
        }
        ChildJvm.Result result = run(implementation, environment, TaggedTests.class, tag);
        if (result.exit() == TaggedTests.NO_DEVICE) {
            fail(result.out().strip());
        }
        List<DynamicTest> tests = new ArrayList<>();
        for (String line : result.out().lines().toList()) {
            String[] parts = line.split("\t", -1);
            if (parts[0].equals(TaggedTests.MARK)) {
                String failure = new String(Base64.getDecoder().decode(parts[2]), StandardCharsets.UTF_8);
                tests.add(dynamicTest(
                        parts[1], () -> assertEquals("", failure, () -> "on " + implementation + ": " + failure)));
            }
        }
        boolean ran = !tests.isEmpty();
        tests.add(dynamicTest("the process ends well", () -> {
            assertEquals(0, result.exit(), () -> result.out() + result.err());
            assertTrue(ran, () -> "no test has the tag " + tag + ": " + result.out());
            assertEquals("", complaints(result), "what the driver has to say");
        }));
        return tests.stream();
    }

    /** Runs {@code main} on {@code implementation} alone. */
    static ChildJvm.Result run(
            Implementation implementation, Map<String, String> environment, Class<?> main, String... arguments)
            throws Exception {
        Map<String, String> all = new HashMap<>(implementation.environment());
        all.putAll(environment);
        List<String> options = List.of(
                "-Xmx1g",
                "-D" + Implementation.PROPERTY + "=" + implementation,
                "-Dcellfuse.seed=" + System.getProperty("cellfuse.seed", ""),
                "-Dcellfuse.long=" + System.getProperty("cellfuse.long", "false"),
                // Whatever stands on the other stream comes from the driver.
                "-Dorg.slf4j.simpleLogger.logFile=System.out");
        return ChildJvm.start(all, options, main, arguments).await(SECONDS);
    }

    /** What stands on the error stream, but for the JVM's remark about libjsig. */
    static String complaints(ChildJvm.Result result) {
        return result.err()
                .lines()
                .filter(line -> !line.contains("VM warning: the use of signal() and sigset()"))
                .collect(Collectors.joining("\n"))
                .strip();
    }
}

package io.github.cellfuse.implementations;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import io.github.cellfuse.cl.TestDevices;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests with a tag in this process and prints a line for each that ended: {@link #MARK}, its name, and in base
 * 64 why it failed.
 */
final class TaggedTests {
    static final String MARK = "cellfuse-test";

    /** The exit status where there is no device. */
    static final int NO_DEVICE = 3;

    private TaggedTests() {}

    public static void main(String[] arguments) {
        try {
            TestDevices.list().forEach(device -> System.out.println("on " + device));
        } catch (AssertionError missing) {
            System.out.println(missing.getMessage());
            System.exit(NO_DEVICE);
        }
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectPackage("io.github.cellfuse"))
                                .filters(
                                        EngineFilter.includeEngines("junit-jupiter"),
                                        TagFilter.includeTags(arguments[0]))
                                .build(),
                        new Lines());
    }

    private static final class Lines implements TestExecutionListener {
        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            boolean passed = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
            if (test.isTest() || !passed) {
                print(
                        test,
                        passed
                                ? ""
                                : text(result.getThrowable().orElseGet(() -> new AssertionError(result.toString()))));
            }
        }

        /** What is left out isn't passed. */
        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            print(test, "skipped: " + reason);
        }

        private static void print(TestIdentifier test, String failure) {
            String encoded = Base64.getEncoder().encodeToString(failure.getBytes(StandardCharsets.UTF_8));
            System.out.println(MARK + "\t" + name(test) + "\t" + encoded);
        }

        private static String name(TestIdentifier test) {
            return test.getSource()
                    .filter(MethodSource.class::isInstance)
                    .map(MethodSource.class::cast)
                    .map(method -> method.getJavaClass().getSimpleName() + "." + method.getMethodName() + " "
                            + test.getDisplayName())
                    .orElseGet(test::getDisplayName);
        }

        private static String text(Throwable failure) {
            StringWriter text = new StringWriter();
            failure.printStackTrace(new PrintWriter(text, true));
            return text.toString();
        }
    }
}

package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the launcher's shell functions do, without a build of what they launch. */
class LauncherTest {
    private static final String WARNING = "WARNING: Using incubator modules: jdk.incubator.vector\n";

    @ParameterizedTest
    @ValueSource(
            strings = {"", "one line", "one line\n", "cellfuse: error: a\n\nb \\n %s\tc", "  indented\nand\nmore\n"})
    void onlyTheFirstWarningOfTheModuleIsTakenOut(String text) throws Exception {
        assertEquals(text, filtered(text));
        assertEquals(text, filtered(WARNING + text));
        assertEquals(text + "\n" + WARNING, filtered(WARNING + text + "\n" + WARNING));
    }

    @Test
    void warningsOfOtherModulesStay() throws Exception {
        String other = WARNING.replace("vector", "other");
        assertEquals(other, filtered(other));
    }

    private static String filtered(String text) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", "-c", ". bin/lib.sh; without_incubator_line jdk.incubator.vector")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var stdin = process.getOutputStream()) {
            stdin.write(text.getBytes(StandardCharsets.UTF_8));
        }
        String found = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor());
        return found;
    }
}

package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What pages show of the examples, which continuous integration runs. */
class ExamplesTest {
    @Test
    void theLinesOfTheMetersAreThoseOfTheExample() throws IOException {
        String example = Files.readString(Path.of("examples/maven/src/main/java/example/Metered.java"));
        String lines =
                example.substring(example.indexOf("// METERS:") + "// METERS:".length(), example.indexOf("// :METERS"));
        String page = Files.readString(Path.of("docs/java-api.md"));
        assertTrue(
                normalized(page).contains(normalized(lines)),
                "docs/java-api.md shows other lines than those that the example runs");
    }

    private static String normalized(String text) {
        return text.replaceAll("\\s+", " ");
    }
}

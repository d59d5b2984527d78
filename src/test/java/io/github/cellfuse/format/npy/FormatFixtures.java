package io.github.cellfuse.format.npy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/** The files that src/test/python/make_format_fixtures.py wrote, and what the tests of this package share. */
public final class FormatFixtures {
    private FormatFixtures() {}

    public static Path file(String name) {
        try {
            return Path.of(FormatFixtures.class.getResource("/format/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The action is refused in one line that holds every one of {@code parts}. */
    public static void assertRefused(Executable action, Object... parts) {
        String message = assertThrows(InvalidInputException.class, action).getMessage();
        assertFalse(message.contains("\n"), message);
        for (Object part : parts) {
            assertTrue(message.contains(part.toString()), "expected '" + part + "' in: " + message);
        }
    }

    /** The same bits; any NaN equals any other, as conversions don't keep a payload. */
    public static void assertSameValues(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        if (Arrays.equals(expected, actual)) {
            return; // by the same rule, without a text for each element
        }
        for (int k = 0; k < expected.length; k++) {
            assertEquals(
                    Integer.toHexString(Float.floatToIntBits(expected[k])),
                    Integer.toHexString(Float.floatToIntBits(actual[k])),
                    "element " + k);
        }
    }

    /** The names in a folder, hidden ones too. */
    public static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}

package io.github.cellfuse.format.keras;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/** The files that src/test/python/make_keras_cases.py wrote. */
public final class KerasCases {
    private KerasCases() {}

    /** A file by its name. */
    public static Path file(String name) {
        try {
            return Path.of(Objects.requireNonNull(KerasCases.class.getResource("/keras/" + name), name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Every model that is read, by file name. */
    static List<String> models() {
        try (Stream<Path> files = Files.list(file("single_2.h5").getParent())) {
            return files.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("(?!refused_).*\\.(h5|keras)"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The action is refused in one line that holds every one of {@code parts}. */
    static void assertRefused(Executable action, Object... parts) {
        String message = assertThrows(InvalidInputException.class, action).getMessage();
        assertFalse(message.contains("\n"), message);
        for (Object part : parts) {
            assertTrue(message.contains(part.toString()), "expected '" + part + "' in: " + message);
        }
    }
}

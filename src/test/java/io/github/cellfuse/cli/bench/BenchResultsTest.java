package io.github.cellfuse.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files that users add to {@code bench/results}; and that a wrong one wouldn't pass. */
class BenchResultsTest {
    private static final Pattern NAME = Pattern.compile("[a-z0-9]+(?:-[a-z0-9]+)*-(\\d{4}-\\d{2}-\\d{2})\\.json");
    private static final String DOCUMENT = """
            {"format": "cellfuse-bench-1", "date": "2026-03-31T12:00:00Z", "device": {"name": "a GPU"}, "results": [
              {"suite": "lstm", "kernel": "lstm_step", "plan": "fused", "t": 1, "n": 2, "i": 3, "h": 4, "p": 4, "layers": 1,
               "directions": 1, "seconds": 0.5}]}
            """;

    @TempDir
    private Path folder;

    @Test
    void everyResultIsReadableAndNamedAfterItsDate() throws IOException {
        Files.writeString(folder.resolve("a-gpu-2026-03-31.json"), DOCUMENT);
        check(folder);
        check(Path.of("bench", "results"));
    }

    @Test
    void aWrongResultIsFound() throws IOException {
        Path otherDate = Files.writeString(folder.resolve("a-gpu-2026-03-30.json"), DOCUMENT);
        assertThrows(AssertionError.class, () -> check(folder));
        Files.delete(otherDate);
        Path noDate = Files.writeString(folder.resolve("a-gpu.json"), DOCUMENT);
        assertThrows(AssertionError.class, () -> check(folder));
        Files.delete(noDate);
        Path damaged = Files.writeString(
                folder.resolve("a-gpu-2026-03-31.json"), DOCUMENT.replace("\"seconds\": 0.5", "\"seconds\": -1"));
        assertThrows(InvalidInputException.class, () -> check(folder));
        Files.writeString(damaged, DOCUMENT.replaceAll("(?s)\\{\"suite.*\\}\\]", "]"));
        assertThrows(AssertionError.class, () -> check(folder));
    }

    private static void check(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".json")).toList();
        }
        for (Path file : files) {
            Matcher name = NAME.matcher(file.getFileName().toString());
            assertTrue(name.matches(), file + ": expected a name like amd-radeon-rx-7900-xtx-2026-03-31.json");
            BenchFile content = BenchFile.read(file);
            assertEquals(name.group(1), content.date().substring(0, 10), file + ": the date");
            assertFalse(content.results().isEmpty(), file + ": has results");
        }
    }
}

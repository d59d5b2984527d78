package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the formatter doesn't check: the width of comments and strings, and that a name means one class. */
class SourcesTest {
    private static final int WIDTH = 120;

    @Test
    void noLineIsWiderThan120Columns() throws IOException {
        List<String> wide = new ArrayList<>();
        for (Path file : sources("src", "bench/src", "spark/src", "examples", "kernels")) {
            List<String> lines = Files.readAllLines(file);
            boolean isText = false; // tables and files of tests in text blocks
            for (int k = 0; k < lines.size(); k++) {
                String line = lines.get(k);
                int width = line.codePointCount(0, line.length());
                if (width > WIDTH && !isText) {
                    wide.add(file + ":" + (k + 1) + ": " + width);
                }
                isText ^= line.split("\"\"\"", -1).length % 2 == 0;
            }
        }
        assertEquals(List.of(), wide);
    }

    /** In the library, its tests, the benchmarks and the build for Spark together. */
    @Test
    void noClassNameOccursTwice() throws IOException {
        Map<String, List<Path>> byName = sources("src", "bench/src", "spark/src", "examples").stream()
                .filter(file -> !file.endsWith("package-info.java"))
                .collect(Collectors.groupingBy(file -> file.getFileName().toString()));
        byName.values().removeIf(files -> files.size() == 1);
        assertEquals(Map.of(), byName);
    }

    private static List<Path> sources(String... folders) throws IOException {
        List<Path> all = new ArrayList<>();
        for (String folder : folders) {
            try (Stream<Path> files = Files.walk(Path.of(folder))) {
                all.addAll(files.filter(file -> file.toString().matches(".*\\.(java|cl)"))
                        .toList());
            }
        }
        assertTrue(all.size() > 3, "expected sources in " + List.of(folders));
        return all;
    }
}

package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final StringWriter err = new StringWriter();
    private long seconds;

    @Test
    void linesComeRarely() {
        Progress.Lines lines = new Progress.Lines(new PrintWriter(err), 0, 1000, "row", () -> seconds * 1_000_000_000L);
        for (seconds = 1; seconds <= 100; seconds++) {
            lines.accept(seconds * 10);
        }
        lines.close();
        String[] said = err.toString().lines().toArray(String[]::new);
        // Every ten seconds, but not when all is done: the summary follows.
        assertEquals(9, said.length);
        assertEquals("cellfuse: 100 of 1000 rows, 10.0 rows/s, 90 s left", said[0]);
    }

    @Test
    void aBarWritesOverItsOwnLine() {
        try (Progress bar = new ProgressBarDisplay(new PrintWriter(err), 0, 1000, "row")) {
            bar.accept(500);
            bar.accept(1000);
        }
        String shown = err.toString();
        assertTrue(shown.startsWith("\rcellfuse"), shown);
        assertTrue(shown.contains("100%") && shown.contains("1000/1000 rows"), shown);
        assertEquals(1, shown.chars().filter(c -> c == '\n').count());
    }
}

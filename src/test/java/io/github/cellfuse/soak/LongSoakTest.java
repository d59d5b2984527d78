package io.github.cellfuse.soak;

import io.github.cellfuse.TestEngines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An engine that is left alone for long: the same bits, the same memory and no object left behind. {@code bin/test
 * --soak} runs these. They write {@code target/resident-memory.svg}, the picture of {@code docs/design}.
 */
@Tag("soak")
class LongSoakTest {
    private static final int RUNS = 100_000;

    private static final int HOURS_2 = 7200;
    private static final Map<String, List<MemorySamples.Sample>> CURVES = Collections.synchronizedMap(new TreeMap<>());

    @TempDir
    Path folder;

    @Test
    void chaos() throws Exception {
        Soak.chaos(folder, TestEngines.seed(System.nanoTime() % 100_000), 120);
    }

    @ParameterizedTest
    @CsvSource({
        "opencl:0.0, runs, " + RUNS,
        "opencl:0.0, engines, 10000",
        "opencl:0.0, sessions, 10000",
        "opencl:0.0, streams, 10000",
        "java, runs, " + RUNS,
        "java, engines, 10000",
        "reference, engines, 10000"
    })
    void memoryStaysTheSame(String device, String work, int count) throws Exception {
        Soak.Endurance found =
                Soak.endure(folder, HOURS_2, device, work, "" + count).sound();
        CURVES.put(count + " " + work + " on " + device.replaceAll(":.*", ""), found.samples());
        found.flat();
    }

    /** Prints what a session costs. */
    @Test
    void tenThousandSessionsAreOpenAtTheSameTime() throws Exception {
        Soak.endure(folder, HOURS_2, "opencl:0.0", "open-sessions", "10000").sound();
    }

    /** What makes the tests above worth something. */
    @ParameterizedTest
    @ValueSource(strings = {"heap", "native"})
    void aLeakOfHundredBytesPerRunIsFound(String kind) throws Exception {
        List<MemorySamples.Sample> samples = Soak.assertLeakIsFound(folder, HOURS_2, RUNS, kind, 100);
        if (kind.equals("native")) {
            CURVES.put("leak of 100 bytes per run", samples);
        }
    }

    @AfterAll
    static void draw() throws Exception {
        if (!CURVES.isEmpty()) {
            Files.writeString(Path.of("target", "resident-memory.svg"), new MemoryPlot(CURVES).svg());
        }
    }
}

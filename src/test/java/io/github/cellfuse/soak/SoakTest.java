package io.github.cellfuse.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.TestEngines;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The short forms of {@link LongSoakTest}, and the test of what finds a leak. */
class SoakTest {
    private static final int SECONDS = 300;

    @TempDir
    Path folder;

    @Test
    void chaos() throws Exception {
        Soak.chaos(folder, TestEngines.seed(System.nanoTime() % 100_000), 4);
    }

    @ParameterizedTest
    @CsvSource({
        "opencl:0.0, runs, 1000",
        "opencl:0.0, sessions, 300",
        "opencl:0.0, streams, 1000",
        "opencl:0.0, open-sessions, 300",
        "java, runs, 2000",
        "java, engines, 500",
        "reference, engines, 200"
    })
    void nothingIsLeftBehind(String device, String work, int count) throws Exception {
        Soak.Endurance found =
                Soak.endure(folder, SECONDS, device, work, "" + count).sound();
        if (!found.samples().isEmpty()) {
            found.flat();
        }
    }

    /** Engines take long to open, so these are too few to say anything of the memory. */
    @Test
    void noObjectOfAnEngineIsLeftBehind() throws Exception {
        Soak.endure(folder, SECONDS, "opencl:0.0", "engines", "10").sound();
    }

    /** As much in sum as a hundred bytes in each run of the long form: on the heap, and beyond it. */
    @ParameterizedTest
    @ValueSource(strings = {"heap", "native"})
    void aLeakIsFound(String kind) throws Exception {
        Soak.assertLeakIsFound(folder, SECONDS, 20_000, kind, 500);
    }

    @Test
    void onlyWhatGoesOnGrowingIsALeak() {
        assertEquals(List.of(), MemorySamples.growth(samples(k -> 300_000)));
        // A warm-up, steps within the limit, and a saw.
        assertEquals(List.of(), MemorySamples.growth(samples(k -> 300_000 + Math.min(k, 40) * 1000L)));
        assertEquals(List.of(), MemorySamples.growth(samples(k -> 300_000 + (k > 75 ? 1000 : 0))));
        assertEquals(List.of(), MemorySamples.growth(samples(k -> 300_000 + k % 10 * 300L)));
        assertEquals(1, MemorySamples.growth(samples(k -> 300_000 + k * 50L)).size());
        assertEquals(
                1,
                MemorySamples.growth(samples(k -> 300_000 + k * 50L + k % 10 * 300L))
                        .size());
    }

    private static List<MemorySamples.Sample> samples(IntToLongFunction residentKib) {
        return IntStream.range(0, 100)
                .mapToObj(k -> new MemorySamples.Sample(k * 1000L, residentKib.applyAsLong(k), 5000))
                .toList();
    }
}

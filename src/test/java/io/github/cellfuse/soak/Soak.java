package io.github.cellfuse.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ChildJvm;
import io.github.cellfuse.faults.FaultLayer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts the programs of this package in processes of their own and reads what they print. */
final class Soak {
    private Soak() {}

    /**
     * What {@link EnduranceMain} printed.
     *
     * @param samples of its memory
     * @param measurements lines with a colon
     * @param problems what is wrong
     */
    record Endurance(List<MemorySamples.Sample> samples, List<String> measurements, List<String> problems) {
        /** Checks that nothing was wrong, and returns what was measured. */
        Endurance sound() {
            assertEquals(List.of(), problems);
            return this;
        }

        /** Checks that the memory stayed the same. */
        Endurance flat() {
            System.out.println("soak: " + MemorySamples.summary(samples));
            assertEquals(List.of(), MemorySamples.growth(samples), () -> "samples: " + samples);
            return this;
        }
    }

    /** Runs {@link EnduranceMain} with these words. */
    static Endurance endure(Path folder, int seconds, String... words) throws IOException, InterruptedException {
        System.out.println("soak: EnduranceMain " + String.join(" ", words));
        List<String> lines = run(folder, seconds, MemorySamples.JVM_OPTIONS, EnduranceMain.class, words);
        List<MemorySamples.Sample> samples = new ArrayList<>();
        List<String> measurements = new ArrayList<>(), problems = new ArrayList<>();
        for (String line : lines.subList(0, lines.size() - 1)) {
            if (MemorySamples.Sample.isSample(line)) {
                samples.add(MemorySamples.Sample.parse(line));
            } else {
                (line.contains(": ") ? measurements : problems).add(line);
            }
        }
        assertEquals(EnduranceMain.DONE, lines.get(lines.size() - 1));
        measurements.forEach(line -> System.out.println("soak: " + line));
        return new Endurance(samples, measurements, problems);
    }

    /**
     * Runs {@link EnduranceMain} with a leak of {@code bytes} in each run, checks that its samples show it, and returns
     * them.
     */
    static List<MemorySamples.Sample> assertLeakIsFound(Path folder, int seconds, int runs, String kind, int bytes)
            throws IOException, InterruptedException {
        Endurance found = endure(folder, seconds, "java", "runs", "" + runs, kind, "" + bytes)
                .sound();
        List<String> growth = MemorySamples.growth(found.samples());
        String what = kind.equals("heap") ? "the heap in use grows" : "resident memory grows";
        assertTrue(growth.stream().anyMatch(line -> line.startsWith(what)), () -> growth + ": " + found.samples());
        return found.samples();
    }

    /** Runs {@link ChaosMain} and checks that nothing was wrong. */
    static void chaos(Path folder, long seed, int seconds) throws IOException, InterruptedException {
        System.out.println("soak: ChaosMain, seed " + seed + ", " + seconds + " s");
        List<String> lines = run(folder, seconds + 300, List.of(), ChaosMain.class, "" + seed, "" + seconds);
        String last = lines.get(lines.size() - 1);
        System.out.println("soak: " + last);
        assertEquals(
                List.of(),
                lines.subList(0, lines.size() - 1),
                () -> "seed " + seed + "; bin/test --soak -Dtest=LongSoakTest#chaos -Dcellfuse.seed=" + seed
                        + " repeats it");
        assertTrue(last.startsWith(ChaosMain.DONE), last);
        for (String outcome : List.of("run done", "run after close", "streams done", "session done", "engine done")) {
            assertTrue(last.contains(outcome), () -> "expected some '" + outcome + "', found " + last);
        }
    }

    private static List<String> run(Path folder, int seconds, List<String> options, Class<?> main, String... words)
            throws IOException, InterruptedException {
        Path control = Files.createTempFile(folder, "control", "");
        ChildJvm.Result result = ChildJvm.start(FaultLayer.environment(control), options, main, words)
                .await(seconds);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        return result.out().lines().toList();
    }
}

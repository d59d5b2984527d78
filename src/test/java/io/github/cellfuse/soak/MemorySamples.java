package io.github.cellfuse.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * The memory of a process over many repetitions of some work, and whether it stays the same.
 *
 * <p>The process runs with a heap of fixed size whose pages have all been touched. So its resident memory is a constant
 * plus what is not on the heap, and what the program still holds on the heap is measured beside it, after a garbage
 * collection.
 */
final class MemorySamples {
    /** The options of such a process. */
    static final List<String> JVM_OPTIONS =
            List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=64m");

    /**
     * How much a trend over the second half may add up to. A leak of 100 bytes in each of 100 000 runs adds 5 MB there.
     */
    static final double MOST_KIB = 2048;

    /**
     * One sample.
     *
     * @param done repetitions so far
     * @param residentKib VmRSS
     * @param heapKib the heap in use after a garbage collection
     */
    record Sample(long done, long residentKib, long heapKib) {
        private static final String WORD = "sample";

        /** Returns the line that {@link #parse} reads. */
        @Override
        public String toString() {
            return WORD + " " + done + " " + residentKib + " " + heapKib;
        }

        static boolean isSample(String line) {
            return line.startsWith(WORD + " ");
        }

        static Sample parse(String line) {
            String[] words = line.split(" ");
            return new Sample(Long.parseLong(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3]));
        }
    }

    private MemorySamples() {}

    /** Takes a sample of this process. */
    static Sample take(long done) throws IOException {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        long heap = runtime.totalMemory() - runtime.freeMemory();
        return new Sample(done, residentKib(), heap / 1024);
    }

    private static long residentKib() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("/proc/self/status: expected a line VmRSS, found none");
    }

    /** Returns the resident memory at both ends and the trends. */
    static String summary(List<Sample> samples) {
        return String.format(
                Locale.ROOT,
                "resident memory %d -> %d KiB, trend %.0f KiB, of the heap %.0f KiB",
                samples.get(0).residentKib,
                samples.get(samples.size() - 1).residentKib,
                trend(samples, Sample::residentKib),
                trend(samples, Sample::heapKib));
    }

    /** Returns what grows, one sentence each: empty if the memory stays the same. */
    static List<String> growth(List<Sample> samples) {
        List<String> grows = new ArrayList<>();
        check("resident memory", samples, Sample::residentKib, grows);
        check("the heap in use", samples, Sample::heapKib, grows);
        return grows;
    }

    private static void check(String what, List<Sample> samples, ToLongFunction<Sample> value, List<String> grows) {
        double kib = trend(samples, value);
        if (!(kib < MOST_KIB)) {
            List<Sample> half = secondHalf(samples);
            long repetitions = half.get(half.size() - 1).done - half.get(0).done;
            grows.add(String.format(
                    Locale.ROOT,
                    "%s grows by %.0f KiB in the last %d repetitions: %.0f bytes each; expected less than %.0f KiB",
                    what,
                    kib,
                    repetitions,
                    kib * 1024 / repetitions,
                    MOST_KIB));
        }
    }

    /**
     * Returns the growth over the second half of the samples in KiB: the slope of the line with the least squares of
     * errors, times the length. The first half is for compilers, caches and pools to fill.
     */
    static double trend(List<Sample> samples, ToLongFunction<Sample> value) {
        List<Sample> half = secondHalf(samples);
        if (half.size() < 5) {
            throw new IllegalArgumentException("expected 10 samples or more, found " + samples.size());
        }
        double meanDone = half.stream().mapToLong(Sample::done).average().orElseThrow();
        double meanValue = half.stream().mapToLong(value).average().orElseThrow();
        double products = 0, squares = 0;
        for (Sample sample : half) {
            products += (sample.done - meanDone) * (value.applyAsLong(sample) - meanValue);
            squares += (sample.done - meanDone) * (sample.done - meanDone);
        }
        return products / squares * (half.get(half.size() - 1).done - half.get(0).done);
    }

    private static List<Sample> secondHalf(List<Sample> samples) {
        return samples.subList(samples.size() / 2, samples.size());
    }
}

package io.github.cellfuse.bench;

import java.util.List;

/**
 * The results of a benchmark.
 *
 * @param device the device and its roofline
 * @param results in the order of the suites
 * @param skipped the cases that were skipped
 */
public record BenchReport(DeviceReport device, List<BenchResult> results, List<Skipped> skipped) {
    /**
     * A case that wasn't measured.
     *
     * @param suite the suite
     * @param what the case
     * @param reason one sentence
     */
    public record Skipped(String suite, String what, String reason) {}

    /** Returns how many results can't be trusted, because the machine was busy. */
    public long disturbed() {
        return results.stream().filter(result -> result.timing().isDisturbed()).count();
    }

    public BenchReport {
        results = List.copyOf(results);
        skipped = List.copyOf(skipped);
    }
}

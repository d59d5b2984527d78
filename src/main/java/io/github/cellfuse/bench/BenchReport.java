package io.github.cellfuse.bench;

import java.util.List;

/**
 * What a benchmark found.
 *
 * @param device the device with its roofline
 * @param results in the order of the suites
 * @param skipped what was left out, and why
 */
public record BenchReport(DeviceReport device, List<BenchResult> results, List<Skipped> skipped) {
    /**
     * Something that wasn't measured.
     *
     * @param suite the suite
     * @param what which of its cases
     * @param reason one sentence
     */
    public record Skipped(String suite, String what, String reason) {}

    public BenchReport {
        results = List.copyOf(results);
        skipped = List.copyOf(skipped);
    }
}

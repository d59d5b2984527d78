package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.bench.peers.Effort;
import io.github.cellfuse.bench.peers.JsonFile;
import io.github.cellfuse.bench.peers.Statistics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The results of all shapes, for people and for programs.
 *
 * @param machine the processor's name
 * @param effort how long
 * @param versions of what takes part, by the names of JSON
 * @param missing why the rest doesn't, by the same names
 * @param results one a shape
 */
record GpuReport(
        String machine,
        Effort effort,
        Map<String, String> versions,
        Map<String, String> missing,
        List<GpuResult> results) {
    /** CellFuse's name in JSON. */
    static final String OURS = "ours";

    /** Below the table. */
    static final String NOTE = """
            ours device, float32, fp32 graph, TF32, float16: the device's clock, with the data on the device
            ours wall, ORT wall: the host's clock, with both transfers
            * less precise than float32
            ratio: torch's float32 over ours device; above 1, CellFuse is faster""";

    /** Returns the table's first line. */
    static String header() {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-17s", "T,N,I,H"));
        line.append(String.format(Locale.ROOT, "%13s%13s", "ours device", "ours wall"));
        for (GpuPeer peer : GpuPeer.values()) {
            line.append(String.format(Locale.ROOT, "%13s", peer.column()));
        }
        return line + "   ratio  (quartiles)";
    }

    /** Returns a shape's line: medians in ms, and the ratio with its spread. Failures follow, one a line. */
    static String line(GpuResult result) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-17s", result.shape()));
        line.append(milliseconds(result.deviceMedian())).append(milliseconds(result.wallMedian()));
        for (GpuPeer peer : GpuPeer.values()) {
            line.append(milliseconds(result.median(peer)));
        }
        line.append(result.ratio()
                .map(r -> String.format(Locale.ROOT, "%8.2f  %-11s", r.median(), quartiles(r)))
                .orElse(String.format(Locale.ROOT, "%8s  %-11s", "-", "")));
        result.failures().forEach((name, reason) -> line.append("\n  ").append(reason));
        return line.toString();
    }

    private static String milliseconds(Optional<Double> seconds) {
        String text =
                seconds.map(s -> String.format(Locale.ROOT, "%.3f ms", s * 1e3)).orElse("-");
        return String.format(Locale.ROOT, "%13s", text);
    }

    private static String quartiles(GpuResult.Ratio ratio) {
        return String.format(Locale.ROOT, "(%.2f-%.2f)", ratio.lower(), ratio.upper());
    }

    /** Returns the last line: the geometric mean of the ratios, where there are any. */
    String summary() {
        double[] ratios = results.stream()
                .flatMap(result -> result.ratio().stream())
                .mapToDouble(GpuResult.Ratio::median)
                .toArray();
        return ratios.length == 0
                ? "no ratio: that takes CellFuse and torch's float32"
                : String.format(Locale.ROOT, "geometric mean of the ratios: %.2f", Statistics.geometricMean(ratios));
    }

    /** Returns whether a contender that runs here gave a wrong result or an error. */
    boolean hasFailures() {
        return results.stream().anyMatch(result -> !result.failures().isEmpty());
    }

    /** Writes the JSON file, whole or not at all. */
    void write(Path file) {
        JsonFile.write(file, json());
    }

    String json() {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("machine", machine);
        root.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
        root.put("device", versions.get(OURS));
        root.put("rounds", effort.rounds());
        root.put("turn_s", effort.turnSeconds());
        root.put("versions", versions);
        root.put("missing", missing);
        Map<String, Double> allowed = new LinkedHashMap<>();
        for (GpuPeer peer : GpuPeer.values()) {
            allowed.put(peer.key(), peer.largestDifference());
        }
        root.put("allowed_difference", allowed);
        List<Map<String, Object>> rows = new ArrayList<>();
        results.forEach(result -> rows.add(row(result)));
        root.put("results", rows);
        return JsonFile.text(root);
    }

    private static Map<String, Object> row(GpuResult result) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("t", result.shape().steps());
        row.put("n", result.shape().rows());
        row.put("i", result.shape().inputs());
        row.put("h", result.shape().units());
        row.put("ours_device_s", result.deviceMedian().orElse(null));
        row.put("ours_wall_s", result.wallMedian().orElse(null));
        for (GpuPeer peer : GpuPeer.values()) {
            row.put(peer.key() + "_s", result.median(peer).orElse(null));
        }
        Optional<GpuResult.Ratio> ratio = result.ratio();
        row.put("ratio_fp32", ratio.map(GpuResult.Ratio::median).orElse(null));
        row.put("ratio_quartiles", ratio.map(r -> List.of(r.lower(), r.upper())).orElse(null));
        Map<String, Object> differences = new LinkedHashMap<>();
        // JSON has no infinity; a result with a NaN says so in failures.
        result.differences()
                .forEach((peer, value) -> differences.put(peer.key(), Double.isFinite(value) ? value : null));
        row.put("largest_difference", differences);
        row.put("failures", result.failures());
        row.put("plan", result.plan());
        Map<String, Object> rounds = new LinkedHashMap<>();
        rounds.put("ours_device_s", result.device());
        rounds.put("ours_wall_s", result.wall());
        result.peers().forEach((peer, seconds) -> rounds.put(peer.key() + "_s", seconds));
        row.put("rounds", rounds);
        return row;
    }
}

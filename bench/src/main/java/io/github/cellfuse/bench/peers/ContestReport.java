package io.github.cellfuse.bench.peers;

import io.github.cellfuse.bench.Shape;
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
 * @param threads of each contender
 * @param effort how long
 * @param voiceModel the file of the voice-activity model; empty for random weights
 * @param versions of the contenders that took part
 * @param missing why the others didn't
 * @param results one a shape
 */
record ContestReport(
        String machine,
        int threads,
        Effort effort,
        Optional<Path> voiceModel,
        Map<Contender, String> versions,
        Map<Contender, String> missing,
        List<ShapeResult> results) {

    /** Returns the table's first line. */
    static String header() {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-17s", "T,N,I,H"));
        for (Contender contender : Contender.values()) {
            line.append(String.format(Locale.ROOT, "%13s", contender.title()));
        }
        return line + "   ratio  (quartiles)  to best peer  of FMA peak";
    }

    private static String name(ShapeResult result) {
        Shape shape = result.shape();
        return switch (result.task()) {
            case LAYER -> shape.toString();
            case TAGGER -> "tagger " + shape.steps() + "," + shape.rows();
            case VOICE -> "voice " + shape.rows() + "," + shape.steps();
        };
    }

    /**
     * Returns a shape's line: medians in ms ("differs" for a peer with a wrong result), the ratio with its spread, the
     * share of the peak.
     */
    static String line(ShapeResult result) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-17s", name(result)));
        for (Contender contender : Contender.values()) {
            String text = result.median(contender)
                    .map(seconds -> String.format(Locale.ROOT, "%.3f ms", seconds * 1e3))
                    .orElse(result.differences().containsKey(contender) ? "differs" : "-");
            line.append(String.format(Locale.ROOT, "%13s", text));
        }
        String ratio = result.ratio()
                .map(r -> String.format(
                        Locale.ROOT,
                        "%8.2f  (%.2f-%.2f)  %12s",
                        r.median(),
                        r.lower(),
                        r.upper(),
                        r.peer().title()))
                .orElse(String.format(Locale.ROOT, "%8s  %-13s%12s", "-", "", "-"));
        String share =
                result.ofPeak().map(p -> String.format(Locale.ROOT, "%.2f", p)).orElse("-");
        return line + ratio + String.format(Locale.ROOT, "%13s", share);
    }

    /** Returns the last line: the geometric mean of the ratios, and what waiting contenders cost. */
    String summary() {
        double[] ratios = results.stream()
                .filter(r -> r.task() == Task.LAYER)
                .flatMap(r -> r.ratio().stream())
                .mapToDouble(ShapeResult.Ratio::median)
                .toArray();
        double idle = results.stream().mapToDouble(ShapeResult::idleShare).max().orElse(0);
        String mean = ratios.length == 0
                ? ""
                : String.format(
                        Locale.ROOT, "geometric mean of the layers' ratios: %.2f; ", Statistics.geometricMean(ratios));
        return mean
                + String.format(
                        Locale.ROOT,
                        "waiting contenders took at most %.1f %% of one core during the others' turns",
                        idle * 100);
    }

    /** Writes the JSON file, whole or not at all. */
    void write(Path file) {
        JsonFile.write(file, json());
    }

    String json() {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("machine", machine);
        root.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
        root.put("device", versions.get(Contender.OURS));
        root.put("threads", threads);
        root.put("rounds", effort.rounds());
        root.put("turn_s", effort.turnSeconds());
        root.put("voice_model", voiceModel.map(Path::toString).orElse(null));
        root.put("versions", byKey(versions));
        root.put("missing", byKey(missing));
        List<Map<String, Object>> rows = new ArrayList<>();
        results.forEach(result -> rows.add(row(result)));
        root.put("results", rows);
        return JsonFile.text(root);
    }

    private static Map<String, Object> row(ShapeResult result) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("task", result.task().name().toLowerCase(Locale.ROOT));
        row.put("t", result.shape().steps());
        row.put("n", result.shape().rows());
        row.put("i", result.shape().inputs());
        row.put("h", result.shape().units());
        for (Contender contender : Contender.values()) {
            row.put(contender.key() + "_s", result.median(contender).orElse(null));
        }
        Optional<ShapeResult.Ratio> ratio = result.ratio();
        row.put("ratio_best", ratio.map(ShapeResult.Ratio::median).orElse(null));
        row.put("ratio_quartiles", ratio.map(r -> List.of(r.lower(), r.upper())).orElse(null));
        row.put("best_peer", ratio.map(r -> r.peer().key()).orElse(null));
        row.put("of_fma_peak", result.ofPeak().orElse(null));
        Map<String, String> waiting = new LinkedHashMap<>();
        result.waiting().forEach((contender, way) -> waiting.put(contender.key(), way.key()));
        row.put("waiting", waiting);
        row.put("largest_difference", byKey(result.differences()));
        row.put("idle_share", result.idleShare());
        row.put("plan", result.plan());
        Map<String, Object> rounds = new LinkedHashMap<>();
        result.seconds().forEach((contender, seconds) -> rounds.put(contender.key() + "_s", seconds));
        rounds.put("peak_flops", result.ofPeak().isPresent() ? result.peaks() : null);
        row.put("rounds", rounds);
        return row;
    }

    private static <V> Map<String, V> byKey(Map<Contender, V> values) {
        Map<String, V> keyed = new LinkedHashMap<>();
        values.forEach((contender, value) -> keyed.put(contender.key(), value));
        return keyed;
    }
}

package io.github.cellfuse.cli.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.BenchResult;
import io.github.cellfuse.bench.DeviceReport;
import io.github.cellfuse.bench.Dimensions;
import io.github.cellfuse.bench.EarlierResults;
import io.github.cellfuse.cli.Version;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * Writes a benchmark as JSON. {@code docs/lab/benchmarking.md} lists the keys. Versions may add keys, but never change
 * them.
 */
final class BenchJson {
    /** Identifies files with these keys. */
    static final String FORMAT = "cellfuse-bench-1";

    private BenchJson() {}

    static JsonObject of(BenchDocument document) {
        JsonObject json = new JsonObject();
        json.addProperty("format", FORMAT);
        json.addProperty("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        json.addProperty("version", new Version().getVersion()[0]);
        json.addProperty("java", System.getProperty("java.version") + " (" + System.getProperty("java.vm.name") + ")");
        json.addProperty("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        json.addProperty("cores", Runtime.getRuntime().availableProcessors());
        json.addProperty("rounds", document.rounds());
        json.addProperty("disturbed", document.report().disturbed());
        json.add("device", device(document.report().device()));
        JsonArray results = new JsonArray();
        document.report().results().forEach(result -> results.add(result(result)));
        json.add("results", results);
        JsonArray skipped = new JsonArray();
        document.report().skipped().forEach(each -> skipped.add(skipped(each)));
        json.add("skipped", skipped);
        return json;
    }

    /** Returns the comparison for the page. The JSON file describes one run only, so it has no comparison. */
    static JsonObject comparison(BenchFile old, EarlierResults comparison) {
        JsonObject json = new JsonObject();
        json.addProperty("file", old.path().toString());
        json.addProperty("device", old.device());
        json.addProperty("date", old.date());
        json.addProperty("only_new", comparison.onlyNew().size());
        json.addProperty("only_old", comparison.onlyOld().size());
        JsonArray pairs = new JsonArray();
        for (EarlierResults.Pair pair : comparison.pairs()) {
            JsonObject each = result(pair.now());
            each.addProperty("old_seconds", pair.old().seconds());
            each.add("old_plan", text(pair.old().plan()));
            each.addProperty("speedup", pair.speedup());
            each.addProperty("old_disturbed", pair.old().disturbed());
            pairs.add(each);
        }
        json.add("pairs", pairs);
        return json;
    }

    private static JsonObject device(DeviceReport device) {
        JsonObject json = new JsonObject();
        json.addProperty("device", device.info().device().toString());
        json.addProperty("name", device.info().name());
        json.addProperty("kind", device.info().kind().name().toLowerCase(Locale.ROOT));
        json.add("fma_peak_gflops", number(device.limits().flopsPerSecond() * 1e-9));
        json.add("copy_gbytes_per_s", number(device.limits().bytesPerSecond() * 1e-9));
        json.add("launch_us", number(device.launchSeconds() * 1e6));
        json.add("to_device_gbytes_per_s", number(device.toDevice() * 1e-9));
        json.add("to_host_gbytes_per_s", number(device.toHost() * 1e-9));
        json.addProperty("copied_bytes", device.copiedBytes());
        JsonObject properties = new JsonObject();
        device.info().properties().forEach(properties::addProperty);
        json.add("properties", properties);
        return json;
    }

    private static JsonObject result(BenchResult result) {
        Dimensions d = result.dimensions();
        JsonObject json = new JsonObject();
        json.addProperty("suite", result.suite());
        json.addProperty("kernel", result.kernel());
        json.add("plan", text(result.plan()));
        json.add("series", text(result.series()));
        json.addProperty("t", d.t());
        json.addProperty("n", d.n());
        json.addProperty("i", d.i());
        json.addProperty("h", d.h());
        json.addProperty("p", d.p());
        json.addProperty("layers", d.layers());
        json.addProperty("directions", d.directions());
        json.addProperty("alternating", d.alternating());
        json.addProperty("weights", d.weights().toString());
        json.addProperty("rounds", result.timing().rounds());
        json.addProperty("seconds", result.seconds());
        json.addProperty("seconds_lower_quartile", result.timing().lowerQuartile());
        json.addProperty("seconds_upper_quartile", result.timing().upperQuartile());
        json.add("wall_seconds", number(result.timing().wallSeconds()));
        json.add("device_seconds", number(result.timing().deviceSeconds()));
        json.addProperty("flops", result.work().flops());
        json.addProperty("bytes", result.work().bytes());
        json.add("gflops", number(result.gflops()));
        json.add("gbytes_per_s", number(result.gbytesPerSecond()));
        json.add("of_roofline", number(result.timing().ofRoofline()));
        json.addProperty("disturbed", result.timing().isDisturbed());
        JsonArray disturbances = new JsonArray();
        result.timing().disturbances().forEach(disturbances::add);
        json.add("disturbances", disturbances);
        return json;
    }

    private static JsonObject skipped(BenchReport.Skipped skipped) {
        JsonObject json = new JsonObject();
        json.addProperty("suite", skipped.suite());
        json.addProperty("what", skipped.what());
        json.addProperty("reason", skipped.reason());
        return json;
    }

    private static JsonElement text(String value) {
        return value == null ? JsonNull.INSTANCE : new JsonPrimitive(value);
    }

    private static JsonElement number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
    }
}

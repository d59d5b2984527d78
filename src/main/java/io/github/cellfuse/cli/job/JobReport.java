package io.github.cellfuse.cli.job;

import io.github.cellfuse.Device;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.Numbers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What a run did, for people and for programs. */
public final class JobReport {
    private static final String FORMAT = "cellfuse-run-1";

    private JobReport() {}

    /** Returns a line with the times of reading, computing and writing, and the share of each device. */
    public static String summary(BatchReport report) {
        Map<Device, Long> rows = new LinkedHashMap<>();
        report.devices().forEach(each -> rows.merge(each.device(), each.rows(), Long::sum));
        return String.format(
                        Locale.ROOT,
                        "read for %.3f s, computed for %.3f s, wrote for %.3f s: %.2f times the whole time",
                        seconds(report.reading()),
                        seconds(report.computing()),
                        seconds(report.writing()),
                        report.overlap())
                + (report.paddingSteps() == 0
                        ? ""
                        : String.format(Locale.ROOT, ", padding %.1f %%", 100 * report.padding()))
                + JobDisplay.shares(rows)
                + (report.rowsChecked() == 0 ? "" : "; " + Numbers.count(report.rowsChecked(), "row") + " checked");
    }

    /** Returns one JSON object; {@code docs/run.md} lists the keys. */
    public static String json(BatchReport report, Path output) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("output", output.toString());
        json.put("rows", report.rows());
        json.put("rows_finished_before", report.finishedBefore());
        json.put("chunks", report.chunks());
        json.put("rows_checked", report.rowsChecked());
        if (report.flops() > 0) {
            json.put("flops", report.flops());
        }
        json.put("valid_steps", report.validSteps());
        json.put("padding_steps", report.paddingSteps());
        json.put("seconds", seconds(report.total()));
        json.put("reading_seconds", seconds(report.reading()));
        json.put("computing_seconds", seconds(report.computing()));
        json.put("writing_seconds", seconds(report.writing()));
        json.put("rows_per_second", report.rowsPerSecond());
        if (report.flops() > 0) {
            json.put("gflop_per_second", report.gigaflops());
        }
        json.put("devices", report.devices().stream().map(JobReport::json).toList());
        return Json.text(json);
    }

    private static Map<String, Object> json(BatchReport.Share share) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("device", share.device().toString());
        json.put("rows", share.rows());
        json.put("chunks", share.chunks());
        json.put("computing_seconds", seconds(share.computing()));
        json.put("dropped", share.dropped());
        return json;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}

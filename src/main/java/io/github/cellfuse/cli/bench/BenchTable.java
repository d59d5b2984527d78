package io.github.cellfuse.cli.bench;

import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.BenchResult;
import io.github.cellfuse.bench.DeviceReport;
import io.github.cellfuse.bench.EarlierResults;
import io.github.cellfuse.cli.Numbers;
import java.io.PrintWriter;
import java.util.Locale;

/** Prints a benchmark as text. */
final class BenchTable {
    private static final String HEAD = "%-10s %-22s %-9s %-28s %10s %10s %9s %8s %12s%s%n";

    private BenchTable() {}

    static void print(PrintWriter out, BenchDocument document) {
        device(out, document.report().device());
        boolean compared = document.comparison().isPresent();
        out.printf(
                Locale.ROOT,
                HEAD,
                "suite",
                "kernel",
                "plan",
                "T,N,I,H",
                "ms",
                "device ms",
                "GFLOP/s",
                "GB/s",
                "of roofline",
                compared ? "   speedup" : "");
        for (BenchResult result : document.report().results()) {
            out.printf(
                    Locale.ROOT,
                    HEAD,
                    result.suite(),
                    result.kernel(),
                    result.plan() == null ? "-" : result.plan(),
                    result.dimensions(),
                    number("%.3f", result.timing().wallSeconds() * 1e3),
                    number("%.3f", result.timing().deviceSeconds() * 1e3),
                    number("%.1f", result.gflops()),
                    number("%.2f", result.gbytesPerSecond()),
                    number("%.2f", result.timing().ofRoofline()),
                    (compared ? "   " + faster(document, result) : "") + disturbances(result));
        }
        disturbed(out, document.report());
        for (BenchReport.Skipped skipped : document.report().skipped()) {
            out.println("skipped: " + skipped.suite() + ", " + skipped.what() + ": " + skipped.reason());
        }
        document.comparison().ifPresent(comparison -> unmatched(out, document, comparison));
    }

    private static String disturbances(BenchResult result) {
        return result.timing().isDisturbed()
                ? "   busy: " + String.join(", ", result.timing().disturbances())
                : "";
    }

    private static void disturbed(PrintWriter out, BenchReport report) {
        if (report.disturbed() > 0) {
            out.println("the machine was busy: " + report.disturbed() + " of "
                    + Numbers.count(report.results().size(), "row") + " can't be trusted; measure again without other"
                    + " programs");
        }
    }

    private static void device(PrintWriter out, DeviceReport device) {
        out.println("device " + device.info().device() + ": " + device.info().name());
        if (Double.isNaN(device.limits().flopsPerSecond())) {
            out.println("  no kernels, so no roofline");
        } else {
            line(out, "multiply-add peak", device.limits().flopsPerSecond() * 1e-9, "GFLOP/s");
            line(out, "copy bandwidth", device.limits().bytesPerSecond() * 1e-9, "GB/s, read and written");
            line(out, "launch", device.launchSeconds() * 1e6, "us");
            line(out, "host to device", device.toDevice() * 1e-9, "GB/s");
            line(out, "device to host", device.toHost() * 1e-9, "GB/s");
        }
        out.println();
    }

    private static void line(PrintWriter out, String what, double value, String unit) {
        out.printf(Locale.ROOT, "  %-18s %8s %s%n", what, Numbers.rate(value), unit);
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }

    private static String faster(BenchDocument document, BenchResult result) {
        return document.match(result)
                .map(pair -> (pair.isDisturbed() ? "not judged" : String.format(Locale.ROOT, "%.2f", pair.speedup()))
                        + (pair.planChanged() ? " (was " + pair.old().plan() + ")" : ""))
                .orElse("no match");
    }

    private static void unmatched(PrintWriter out, BenchDocument document, EarlierResults comparison) {
        BenchFile old = document.old().orElseThrow();
        String device = document.report().device().info().name();
        if (!old.device().equals(device)) {
            out.println(old.path() + " measured another device: " + old.device());
        }
        out.println(old.path() + ": " + Numbers.count(comparison.pairs().size(), "result") + " matched, "
                + comparison.onlyNew().size() + " only in this run, "
                + comparison.onlyOld().size() + " only in that file");
    }
}

package io.github.cellfuse.cli.verify;

import io.github.cellfuse.verify.VerifyReport;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Prints one line for each device. */
final class DeviceTable {
    private static final String LINE = "  %-14s %-10s %7s   %s%n";

    private DeviceTable() {}

    static void print(PrintWriter out, List<VerifiedDevice> devices) {
        out.printf(Locale.ROOT, LINE, "device", "tier", "cases", "result");
        for (VerifiedDevice device : devices) {
            String tier = device.reports().values().stream()
                    .findFirst()
                    .map(report -> report.tier().toString().toLowerCase(Locale.ROOT))
                    .orElse("-");
            out.printf(
                    Locale.ROOT,
                    LINE,
                    device.choice().device(),
                    tier,
                    device.reports().size(),
                    device.failure().map(message -> "FAILED: " + message).orElseGet(() -> result(device)));
        }
        out.println();
    }

    private static String result(VerifiedDevice device) {
        List<String> failed = device.reports().entrySet().stream()
                .filter(entry -> !entry.getValue().passed())
                .map(entry -> entry.getKey().name())
                .toList();
        if (!failed.isEmpty()) {
            return "FAILED: " + String.join(", ", failed);
        }
        boolean sameBits = device.reports().values().stream().allMatch(VerifyReport::sameBits);
        return sameBits
                ? "verified: every bit agrees with java"
                : "verified: bits differ, which this tier allows; every error is within its bound";
    }
}

package io.github.cellfuse.cli.tune;

import io.github.cellfuse.opencl.tune.Tuning;
import java.io.PrintWriter;
import java.util.Locale;

/** Prints the measurements of one shape as text. */
final class TuneTable {
    private TuneTable() {}

    /**
     * Prints a table.
     *
     * @param what the layer and the shape
     * @param isStored whether the fastest candidate is stored
     */
    static void print(PrintWriter out, String what, Tuning tuning, boolean isStored) {
        out.printf(Locale.ROOT, "%-58s %10s %7s%n", what, "ms", "ratio");
        for (Tuning.Measured line : tuning.measured()) {
            out.printf(
                    Locale.ROOT,
                    "  %-56s %10.3f %7.2f%s%n",
                    line.candidate(),
                    line.seconds() * 1e3,
                    line.ratio(),
                    note(line, isStored));
        }
        out.flush();
    }

    private static String note(Tuning.Measured line, boolean isStored) {
        if (line.isUsual()) {
            return "  usual";
        }
        if (line.isWinner()) {
            return isStored ? "  stored" : "  faster";
        }
        return line.isFinalist() ? "" : "  screened out";
    }
}

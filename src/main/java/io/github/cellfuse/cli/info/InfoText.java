package io.github.cellfuse.cli.info;

import io.github.cellfuse.LstmLayer;
import java.io.PrintWriter;
import java.util.Locale;

/** What the descriptions of models and graphs share. */
final class InfoText {
    private InfoText() {}

    /** Prints one line of the table. */
    static void line(PrintWriter out, String name, String value) {
        out.printf(Locale.ROOT, "%-14s %s%n", name, value);
    }

    static String direction(LstmLayer layer) {
        return layer.direction().toString().toLowerCase(Locale.ROOT);
    }
}

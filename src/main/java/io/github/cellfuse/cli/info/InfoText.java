package io.github.cellfuse.cli.info;

import java.io.PrintWriter;
import java.util.Locale;

/** What the descriptions of models and graphs share. */
final class InfoText {
    private InfoText() {}

    /** Prints one line of the table. */
    static void line(PrintWriter out, String name, String value) {
        out.printf(Locale.ROOT, "%-14s %s%n", name, value);
    }
}

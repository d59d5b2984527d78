package io.github.cellfuse.cli.info;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.format.file.Problems;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** What the descriptions of models and graphs share. */
final class InfoText {
    private InfoText() {}

    /** Prints one line of the table. */
    static void line(PrintWriter out, String name, String value) {
        out.printf(Locale.ROOT, "%-14s %s%n", Problems.oneLine(name), Problems.oneLine(value));
    }

    /**
     * Prints the parameters and the work of LSTMs.
     *
     * @param others the parameters of other nodes; empty for a model that has none
     */
    static void totals(PrintWriter out, List<LstmModel> lstms, OptionalLong others) {
        long parameters = lstms.stream().mapToLong(LstmModel::parameters).sum();
        long flops = lstms.stream().mapToLong(LstmModel::flopsPerStep).sum();
        String more = others.isPresent() ? " of LSTMs, " + others.getAsLong() + " of other nodes" : "";
        line(out, "parameters", parameters + " (" + Numbers.bytes(parameters * Float.BYTES) + ")" + more);
        line(out, "work", flops + " FLOP per row and step" + (others.isPresent() ? " of the LSTMs" : ""));
    }
}

package io.github.cellfuse.cli.verify;

import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.verify.Agreement;
import io.github.cellfuse.verify.Agreement.Difference;
import io.github.cellfuse.verify.Agreement.Judgement;
import io.github.cellfuse.verify.RoundingReport;
import io.github.cellfuse.verify.StageReport;
import io.github.cellfuse.verify.StepRange;
import io.github.cellfuse.verify.VerifyReport;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.IntFunction;

/** Prints a verification as text. */
final class VerifyTable {
    private static final String HEAD = "  %-12s %-4s %12s %10s   %-10s %-10s %-10s %s%n";

    /** With a larger bound, a wrong result could pass. */
    private static final double WEAK_BOUND = 1e-2;

    private VerifyTable() {}

    /**
     * Prints a report.
     *
     * @param repeat returns the command that verifies a layer of this case again
     */
    static void print(
            PrintWriter out, String name, DeviceOption.Choice choice, VerifyReport report, IntFunction<String> repeat) {
        out.println("device " + report.device() + " ("
                + report.tier().toString().toLowerCase(Locale.ROOT) + "): " + choice.reason());
        out.println(name + ": " + Numbers.count(report.rows(), "row") + " of " + Numbers.count(report.steps(), "step")
                + "; bits of all rows against java, errors of " + Numbers.count(report.judgedRows(), "row")
                + " against double precision");
        out.println();
        head(out, "stage");
        for (StageReport stage : report.stages()) {
            line(out, stage.name(), "y", stage.y());
            line(out, "", "h_n", stage.h());
            line(out, "", "c_n", stage.c());
        }
        out.println();
        report.whole().ifPresent(whole -> steps(out, whole));
        CellTable.print(out, report);
        out.println("  * of the value closest to its bound");
        out.println();
        report.stages().forEach(stage -> details(out, stage));
        weak(out, report);
        report.rounding().ifPresent(rounding -> rounding(out, rounding));
        report.faults().forEach(fault -> CellTable.fault(out, fault, repeat.apply(fault.layer())));
        out.println(verdict(report));
        out.println();
    }

    private static void steps(PrintWriter out, StageReport whole) {
        head(out, "step");
        for (StepRange range : whole.steps()) {
            line(out, range.steps(), "y", range.agreement());
        }
        out.println();
    }

    static void head(PrintWriter out, String first) {
        out.printf(
                Locale.ROOT,
                HEAD,
                first,
                "",
                "values",
                "differing",
                "max error",
                "error *",
                "bound *",
                "error/bound *");
    }

    static void line(PrintWriter out, String name, String tensor, Agreement agreement) {
        out.printf(
                Locale.ROOT,
                HEAD,
                name,
                tensor,
                agreement.elements(),
                agreement.differing(),
                number(agreement.largestError()),
                agreement.worst().map(w -> number(w.error())).orElse("-"),
                agreement.worst().map(w -> number(w.bound())).orElse("-"),
                agreement
                                .worst()
                                .map(w -> String.format(
                                        Locale.ROOT, "%.3f%s", w.ratio(), w.probabilistic() ? " (probabilistic)" : ""))
                                .orElse("-")
                        + (agreement.violations() > 0 ? "  " + agreement.violations() + " EXCEEDED" : "")
                        + (agreement.notJudged() > 0 ? "  " + agreement.notJudged() + " not judged" : ""));
    }

    private static String number(double value) {
        return value == 0 ? "0" : String.format(Locale.ROOT, "%.2e", value);
    }

    private static void details(PrintWriter out, StageReport stage) {
        String[] names = {"y[row, step, feature]", "h_n[state, row, unit]", "c_n[state, row, unit]"};
        for (int k = 0; k < names.length; k++) {
            Agreement agreement = stage.tensors().get(k);
            String what = stage.name() + ", " + names[k] + " ";
            agreement.firstDifference().ifPresent(d -> out.println(what + describe(d)));
            if (agreement.violations() > 0) {
                agreement.worst().ifPresent(w -> out.println(what + describe(w)));
            }
        }
        stage.firstDifferingStep()
                .ifPresent(step -> out.println(stage.name() + ": outputs differ from step " + step + " on"));
    }

    /** Prints a note if the bounds prove little. */
    private static void weak(PrintWriter out, VerifyReport report) {
        double largest = report.stages().stream()
                .flatMap(stage -> stage.tensors().stream())
                .mapToDouble(Agreement::largestBound)
                .max()
                .orElse(0);
        if (largest > WEAK_BOUND) {
            out.println("note: some bounds are as large as " + number(largest)
                    + " and prove little: the model amplifies small errors over many steps (docs/verify.md)");
        }
    }

    /** Prints the error caused by the precision of the weights. It informs a decision; it is not a criterion. */
    private static void rounding(PrintWriter out, RoundingReport report) {
        out.println("rounding of the weights to " + report.weights().label()
                + ", largest error (root mean square) against double precision with unrounded weights: "
                + distance("y", report.y()) + ", " + distance("h_n", report.h()) + ", " + distance("c_n", report.c()));
    }

    private static String distance(String tensor, RoundingReport.Distance distance) {
        return tensor + " " + number(distance.largest()) + " (" + number(distance.rootMeanSquare()) + ")";
    }

    private static String describe(Difference d) {
        return d.index() + ": device " + bits(d.device()) + ", java " + bits(d.twin());
    }

    private static String describe(Judgement w) {
        return String.format(
                Locale.ROOT,
                "%s: device %s, double precision %s: error %s exceeds its bound %s",
                w.index(),
                w.device(),
                w.reference(),
                number(w.error()),
                number(w.bound()));
    }

    static String bits(float value) {
        return value + " (" + Numbers.bits(value) + ")";
    }

    /** Returns the verdict in one line. */
    static String verdict(VerifyReport report) {
        String bits = report.sameBits()
                ? "every bit agrees with java"
                : report.bitsRequired()
                        ? "BITS DIFFER from java"
                        : "bits differ from java, which this device's tier allows";
        String bound = report.withinBound() ? "every error is within its bound" : "ERRORS EXCEED THEIR BOUND";
        return (report.passed() ? "verified: " : "FAILED: ") + bits + "; " + bound;
    }
}

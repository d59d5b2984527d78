package io.github.cellfuse.cli.verify;

import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.verify.CellFault;
import io.github.cellfuse.verify.CellReport;
import io.github.cellfuse.verify.StepRange;
import io.github.cellfuse.verify.VerifyReport;
import java.io.PrintWriter;
import java.util.Locale;

/** Prints what happened inside the cells. */
final class CellTable {
    private CellTable() {}

    /** Prints a line for each layer, direction and quantity, and those ranges of steps in which something is wrong. */
    static void print(PrintWriter out, VerifyReport report) {
        if (report.cells().isEmpty()) {
            return;
        }
        VerifyTable.head(out, "cells");
        for (CellReport layer : report.cells()) {
            int last = -1;
            for (CellReport.Quantity quantity : layer.quantities()) {
                boolean isNew = quantity.direction() != last;
                last = quantity.direction();
                String name = isNew ? "layer " + layer.layer() + "." + quantity.direction() : "";
                VerifyTable.line(out, name, quantity.value().toString(), quantity.all());
            }
        }
        out.println();
        for (CellReport layer : report.cells()) {
            wrongSteps(out, layer);
            if (layer.strayed() > 0) {
                out.println("layer " + layer.layer() + ": " + Numbers.count(layer.strayed(), "value")
                        + " of the traced run differ from the ordinary run: a compiler makes something else of the"
                        + " kernels that store what is inside the cells");
            }
        }
    }

    private static void wrongSteps(PrintWriter out, CellReport layer) {
        for (CellReport.Quantity quantity : layer.quantities()) {
            for (StepRange range : quantity.steps()) {
                long differing = range.agreement().differing(),
                        exceeded = range.agreement().violations();
                if (differing + exceeded > 0) {
                    out.println("layer " + layer.layer() + "." + quantity.direction() + ", " + quantity.value() + ", "
                            + steps(range) + ": " + differing + " differ, " + exceeded + " exceed their bound");
                }
            }
        }
    }

    private static String steps(StepRange range) {
        return (range.first() == range.last() ? "step " : "steps ") + range.steps();
    }

    /** Prints the first value that differs, what it is computed from, and how to see it again. */
    static void fault(PrintWriter out, CellFault fault, String command) {
        out.printf(
                Locale.ROOT,
                "first fault: layer %d, direction %d, step %d, row %d, unit %d: %s is %s, expected %s%n",
                fault.layer(),
                fault.direction(),
                fault.step(),
                fault.row(),
                fault.unit(),
                fault.quantity(),
                VerifyTable.bits(fault.device()),
                VerifyTable.bits(fault.twin()));
        if (fault.products() > 0) {
            out.println("  sum of " + fault.products() + " products");
        }
        for (CellFault.Operand operand : fault.operands()) {
            out.println("  " + operand.name() + " = " + VerifyTable.bits(operand.value()));
        }
        out.println("  to repeat: " + command);
    }
}

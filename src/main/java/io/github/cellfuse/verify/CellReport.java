package io.github.cellfuse.verify;

import io.github.cellfuse.spi.CellValue;
import java.util.List;

/**
 * What happened inside the cells of one layer, which ran by itself. The expected bits are those of the Java engine for
 * one step each, from the device's own states before the step: a value that is wrong by itself differs, and what
 * follows from it doesn't.
 *
 * @param layer 0 to L-1
 * @param quantities each quantity in each direction
 * @param faults the first difference of each direction that has any
 * @param strayed number of values of y, h_n and c_n whose bits differ between the run that was traced and the ordinary
 *     run. The traced kernels store more, so a compiler may make something else of them
 */
public record CellReport(int layer, List<Quantity> quantities, List<CellFault> faults, long strayed) {
    /**
     * One quantity in one direction. Indices of values are row, step and unit.
     *
     * @param direction 0 to D-1
     * @param value the quantity
     * @param all all of its values
     * @param steps the same by time step; neighboring steps are combined if there are many
     */
    public record Quantity(int direction, CellValue value, Agreement all, List<StepRange> steps) {}

    public CellReport {
        quantities = List.copyOf(quantities);
        faults = List.copyOf(faults);
    }

    /** Returns the number of values that differ in their bits. */
    public long differing() {
        return strayed + quantities.stream().mapToLong(q -> q.all().differing()).sum();
    }

    /** Returns the number of judged values that exceed their bound. */
    public long violations() {
        return quantities.stream().mapToLong(q -> q.all().violations()).sum();
    }
}

package io.github.cellfuse.verify;

import io.github.cellfuse.spi.CellValue;
import java.util.List;

/**
 * The first value of a direction that differs, in the order of the computation: by step, and within a step in the order
 * of {@link CellValue}.
 *
 * @param layer 0 to L-1
 * @param direction 0 to D-1
 * @param quantity what differs
 * @param step the time step
 * @param row the row of the batch
 * @param unit the unit
 * @param device the device's value
 * @param twin the Java engine's value from the same inputs
 * @param products number of products of the sum; 0 if it is none
 * @param operands what it is computed from, as the device has it
 */
public record CellFault(
        int layer,
        int direction,
        CellValue quantity,
        int step,
        int row,
        int unit,
        float device,
        float twin,
        int products,
        List<Operand> operands) {

    /**
     * An operand.
     *
     * @param name such as {@code "f"}, {@code "c before"} or {@code "largest product"}
     * @param value its value
     */
    public record Operand(String name, float value) {}

    public CellFault {
        operands = List.copyOf(operands);
    }
}

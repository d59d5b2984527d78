package io.github.cellfuse.spi;

import io.github.cellfuse.LstmLayer;
import java.util.EnumMap;
import java.util.Map;

/**
 * The values inside the cells of one direction of one layer, in successive time steps. Values of a row that is shorter
 * than a step are 0.
 *
 * @param layer 0 to L-1
 * @param direction 0 to D-1
 * @param firstStep the earliest time step, from 0 on
 * @param steps the number of time steps
 * @param rows the rows {@code N} of the batch, in the caller's order
 * @param values {@code [steps,N,H]} of each quantity; {@code [steps,N,P]} of the hidden states
 */
public record CellTrace(int layer, int direction, int firstStep, int steps, int rows, Map<CellValue, float[]> values) {

    /**
     * Returns a trace of zeros.
     *
     * @param sizes the layer
     * @throws io.github.cellfuse.InvalidInputException if there are more values than an array holds
     */
    public static CellTrace allocate(LstmLayer sizes, int layer, int direction, int firstStep, int steps, int rows) {
        Map<CellValue, float[]> values = new EnumMap<>(CellValue.class);
        for (CellValue quantity : CellValue.values()) {
            int size = Sizes.elements("values of a layer's cells [T,N,H]", steps, rows, quantity.width(sizes));
            values.put(quantity, new float[size]);
        }
        return new CellTrace(layer, direction, firstStep, steps, rows, values);
    }

    /** Returns the values of a quantity, {@code [steps,N,H]} or, for the hidden states, {@code [steps,N,P]}. */
    public float[] of(CellValue quantity) {
        return values.get(quantity);
    }
}

package io.github.cellfuse.spi;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import java.util.EnumMap;
import java.util.Map;

/** Collects the values inside the cells of one layer of a run. Not thread safe. */
public final class LayerTrace implements CellListener {
    private final int layer;
    private final int steps;
    private final Map<CellValue, float[]> values = new EnumMap<>(CellValue.class);

    /**
     * Makes room for the values of {@code layer} of {@code model} in a run of {@code input}.
     *
     * @throws io.github.cellfuse.InvalidInputException if there are more than an array holds
     */
    public LayerTrace(LstmModel model, int layer, LstmInput input) {
        this.layer = layer;
        steps = input.steps();
        LstmLayer sizes = model.layer(layer);
        for (CellValue quantity : CellValue.values()) {
            int size = Sizes.elements(
                    "values of a layer [D,T,N,H]", sizes.directionCount(), steps, input.rows(), quantity.width(sizes));
            values.put(quantity, new float[size]);
        }
    }

    /**
     * Returns the values of a quantity: {@code [direction, step, row, unit]}, with the rows in the caller's order and 0
     * past a row's length.
     */
    public float[] of(CellValue quantity) {
        return values.get(quantity);
    }

    @Override
    public void onSteps(CellTrace trace) {
        if (trace.layer() != layer || trace.steps() == 0) {
            return;
        }
        trace.values().forEach((quantity, part) -> {
            int step = part.length / trace.steps();
            int to = (trace.direction() * steps + trace.firstStep()) * step;
            System.arraycopy(part, 0, values.get(quantity), to, part.length);
        });
    }
}

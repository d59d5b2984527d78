package io.github.cellfuse.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.Sizes;

/** Selects rows of a batch. */
public final class SampledRows {
    private SampledRows() {}

    /**
     * Returns the rows {@code rows} of {@code input}, in this order, as a batch-major batch.
     *
     * @throws io.github.cellfuse.InvalidInputException if they have more values than an array holds
     */
    public static LstmInput rows(LstmModel model, LstmInput input, int[] rows) {
        int width = model.inputSize();
        float[] x = new float[Sizes.elements("rows [N,T,I]", rows.length, input.steps(), width)];
        int[] lengths = new int[rows.length], all = input.lengths();
        for (int n = 0; n < rows.length; n++) {
            lengths[n] = all[rows[n]];
            for (int time = 0; time < input.steps(); time++) {
                input.x().get(input.offset(rows[n], time, width), x, (n * input.steps() + time) * width, width);
            }
        }
        LstmInput sample = LstmInput.batchMajor(x, rows.length, input.steps()).withLengths(lengths);
        return input.initialState()
                .map(initial -> sample.withInitialState(new LstmState(
                        rows.length,
                        stateRows(initial.h(), initial.rows(), rows, model.hiddenWidths()),
                        stateRows(initial.c(), initial.rows(), rows, model.cellWidths()))))
                .orElse(sample);
    }

    /** Returns rows of the matrices {@code [N,widths[k]]}, which are stored one after the other. */
    private static float[] stateRows(float[] values, int allRows, int[] rows, int[] widths) {
        float[] chosen = new float[values.length / allRows * rows.length];
        int from = 0, to = 0;
        for (int width : widths) {
            for (int n = 0; n < rows.length; n++) {
                System.arraycopy(values, from + rows[n] * width, chosen, to + n * width, width);
            }
            from += allRows * width;
            to += rows.length * width;
        }
        return chosen;
    }
}

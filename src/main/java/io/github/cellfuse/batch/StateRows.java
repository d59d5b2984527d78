package io.github.cellfuse.batch;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;

/** Copies the states of some rows, which lie apart: layer by layer, direction by direction. */
final class StateRows {
    private StateRows() {}

    /** Copies {@code count} rows from row {@code firstFrom} of {@code from} to row {@code firstTo} of {@code to}. */
    static void copy(LstmModel model, LstmState from, int firstFrom, LstmState to, int firstTo, int count) {
        for (int layer = 0; layer < model.layerCount(); layer++) {
            LstmLayer sizes = model.layer(layer);
            for (int direction = 0; direction < sizes.directionCount(); direction++) {
                long hidden = model.hiddenValuesBelow(layer) + (long) direction * sizes.stateSize();
                long cell = model.cellValuesBelow(layer) + (long) direction * sizes.hiddenSize();
                copy(from.h(), hidden, from.rows(), firstFrom, to.h(), to.rows(), firstTo, count, sizes.stateSize());
                copy(from.c(), cell, from.rows(), firstFrom, to.c(), to.rows(), firstTo, count, sizes.hiddenSize());
            }
        }
    }

    /** @param below the values of a row that precede the array {@code [rows,width]} in both states */
    private static void copy(
            float[] from,
            long below,
            int rowsFrom,
            int firstFrom,
            float[] to,
            int rowsTo,
            int firstTo,
            int count,
            int width) {
        System.arraycopy(
                from,
                (int) (below * rowsFrom + (long) firstFrom * width),
                to,
                (int) (below * rowsTo + (long) firstTo * width),
                count * width);
    }
}

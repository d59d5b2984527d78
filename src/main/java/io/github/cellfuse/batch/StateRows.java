package io.github.cellfuse.batch;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;

/** Copies the states of some rows, which lie apart: layer by layer, direction by direction. */
final class StateRows {
    private StateRows() {}

    /** Copies {@code count} rows from row {@code firstFrom} of {@code from} to row {@code firstTo} of {@code to}. */
    static void copy(LstmModel model, LstmState from, int firstFrom, LstmState to, int firstTo, int count) {
        copy(from.h(), from.rows(), firstFrom, to.h(), to.rows(), firstTo, count, model.hiddenWidths());
        copy(from.c(), from.rows(), firstFrom, to.c(), to.rows(), firstTo, count, model.cellWidths());
    }

    /** @param widths of the arrays {@code [rows,width]}, one after the other in both states */
    private static void copy(
            float[] from, int rowsFrom, int firstFrom, float[] to, int rowsTo, int firstTo, int count, int[] widths) {
        int below = 0; // the values of a row that precede an array
        for (int width : widths) {
            System.arraycopy(
                    from, below * rowsFrom + firstFrom * width, to, below * rowsTo + firstTo * width, count * width);
            below += width;
        }
    }
}

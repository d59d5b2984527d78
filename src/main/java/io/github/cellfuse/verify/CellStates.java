package io.github.cellfuse.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;

/** The device's states of each row before its next step, in one direction of a layer. Belongs to one comparison. */
final class CellStates {
    private final float[][] h, c;

    /**
     * Starts from the initial states of {@code input}.
     *
     * @param model the layer by itself
     */
    CellStates(LstmModel model, int direction, LstmInput input) {
        int rows = input.rows();
        int outputs = model.layer(0).stateSize(), units = model.layer(0).hiddenSize();
        h = new float[rows][outputs];
        c = new float[rows][units];
        if (input.initialState().isPresent()) {
            LstmState initial = input.initialState().get();
            for (int row = 0; row < rows; row++) {
                int place = direction * rows + row;
                System.arraycopy(initial.h(), place * outputs, h[row], 0, outputs);
                System.arraycopy(initial.c(), place * units, c[row], 0, units);
            }
        }
    }

    /** Copies the states of {@code row} to {@code [cells,P]} and {@code [cells,H]} at {@code cell}. */
    void get(int row, float[] toH, float[] toC, int cell) {
        System.arraycopy(h[row], 0, toH, cell * h[row].length, h[row].length);
        System.arraycopy(c[row], 0, toC, cell * c[row].length, c[row].length);
    }

    /** Replaces the states of {@code row} by those at place {@code at} of {@code [..,P]} and {@code [..,H]}. */
    void set(int row, float[] fromH, float[] fromC, int at) {
        System.arraycopy(fromH, at * h[row].length, h[row], 0, h[row].length);
        System.arraycopy(fromC, at * c[row].length, c[row], 0, c[row].length);
    }
}

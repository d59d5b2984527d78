package io.github.cellfuse.verify;

import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.reference.LstmCell;

/**
 * The weights of one direction of one layer as doubles, in the order of the error analysis, which takes all units of
 * one input at a time. Immutable and shared by all rows.
 *
 * @param cell the cell
 * @param input {@code W} as {@code [I][4H]}
 * @param recurrent {@code R} as {@code [P][4H]}
 * @param projection {@code S} as {@code [H][P]}; null without a projection
 * @param cellGroups the units with the same weights; see {@link IdenticalUnits}
 * @param hiddenGroups the same for the hidden state
 */
record TransposedWeights(
        LstmCell cell,
        double[][] input,
        double[][] recurrent,
        double[][] projection,
        int[] cellGroups,
        int[] hiddenGroups) {

    static TransposedWeights of(LstmWeights w) {
        return new TransposedWeights(
                new LstmCell(w),
                transposed(w.input(), w.inputSize()),
                transposed(w.recurrent(), w.outputSize()),
                w.projection().map(s -> transposed(s, w.hiddenSize())).orElse(null),
                IdenticalUnits.cells(w),
                IdenticalUnits.hidden(w));
    }

    private static double[][] transposed(float[] matrix, int columns) {
        int rows = matrix.length / columns;
        double[][] result = new double[columns][rows];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                result[column][row] = matrix[row * columns + column];
            }
        }
        return result;
    }
}

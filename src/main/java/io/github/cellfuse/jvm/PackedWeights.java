package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import java.util.stream.IntStream;

/** The weights of one direction of one layer, packed by an {@link Arithmetic}. Immutable and shared by all sessions. */
interface PackedWeights {
    /** Returns {@code I}, the number of inputs. */
    int inputs();

    /** Returns {@code P}, the size of the hidden state. */
    int outputs();

    /** Returns {@code H}, the number of units. */
    int units();

    /**
     * Returns the number of cell states that a row needs memory for: the units, and the padding of the last block if a
     * step writes to it.
     */
    int cellWidth();

    /** Returns the weights {@code [H][P]} of the projection by its input; null without a projection. */
    float[][] projection();

    /** Returns the cell; null for an ordinary one. */
    GeneralCell general();

    /**
     * Returns the arithmetic of a task of up to {@code rows} rows.
     *
     * @param cell the cell; null for an ordinary one
     */
    CellStep newStep(int rows, GeneralCell cell);

    /** Returns the projection of {@code weights} in the layout of {@link #projection()}. */
    static float[][] projectionOf(LstmWeights weights) {
        return weights.projection()
                .map(s -> transpose(s, weights.outputSize(), weights.hiddenSize()))
                .orElse(null);
    }

    private static float[][] transpose(float[] matrix, int rows, int columns) {
        return IntStream.range(0, columns)
                .mapToObj(column -> {
                    float[] values = new float[rows];
                    for (int row = 0; row < rows; row++) {
                        values[row] = matrix[row * columns + column];
                    }
                    return values;
                })
                .toArray(float[][]::new);
    }
}

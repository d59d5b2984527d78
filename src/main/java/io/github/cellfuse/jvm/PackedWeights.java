package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import java.util.stream.IntStream;

/** The weights of one direction of one layer, laid out by an {@link Arithmetic}. Immutable once built, shared by all sessions. */
interface PackedWeights {
    /** {@code I}. */
    int inputs();

    /** {@code P}. */
    int outputs();

    /** {@code H}. */
    int units();

    /** Cell states that a row needs room for: the units, and the padding of the last block where a step writes that, too. */
    int cellWidth();

    /** For each input of the projection its weights {@code [P]}; null without one. */
    float[][] projection();

    /** The arithmetic of a task of up to {@code rows} rows. */
    CellStep newStep(int rows);

    /** The projection of {@code weights} as {@link #projection()} has it. */
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

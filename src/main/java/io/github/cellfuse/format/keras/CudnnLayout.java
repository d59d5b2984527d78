package io.github.cellfuse.format.keras;

import io.github.cellfuse.LstmWeights;

/**
 * The layout of {@code CuDNNLSTM}'s weights, which Keras 2 also takes for an {@code LSTM}'s, and recognizes by biases
 * {@code [8H]}: those of the input and, behind them, the recurrent ones. The kernels have the shapes of an
 * {@code LSTM}'s, {@code [I,4H]} and {@code [H,4H]}, with the gates in the same order, i, f, c, o. But within its
 * columns each gate has, in C order, the values of cuDNN's matrix {@code [H,I]} or {@code [H,H]}, where an {@code LSTM}
 * has the transposed one.
 *
 * <p>Source: {@code _convert_rnn_weights} in Keras 2.3, {@code keras/engine/saving.py}.
 */
final class CudnnLayout {
    private CudnnLayout() {}

    /**
     * Returns a kernel {@code [rows,4H]} as {@code [4H,rows]}: the rows of each gate's columns, one after the other.
     */
    static float[] matrix(float[] kernel, int hidden) {
        int columns = LstmWeights.GATES * hidden, rows = kernel.length / columns;
        float[] matrix = new float[kernel.length];
        for (int gate = 0; gate < LstmWeights.GATES; gate++) {
            for (int row = 0; row < rows; row++) {
                System.arraycopy(kernel, row * columns + gate * hidden, matrix, (gate * rows + row) * hidden, hidden);
            }
        }
        return matrix;
    }
}

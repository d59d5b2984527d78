package io.github.cellfuse.reference;

/**
 * Receives every step of one row as it is computed: layer by layer, direction by direction, each in its running order.
 */
@FunctionalInterface
public interface StepListener {
    /**
     * Called after each step. The arrays may be kept but not changed.
     *
     * @param layer 0 to L-1
     * @param direction 0 to D-1
     * @param time index of the step in the sequence, 0 to the row's length - 1; decreases in a reverse direction
     * @param x features {@code [I]} of this layer
     * @param h hidden state before the step {@code [P]}
     * @param c cell state before the step {@code [H]}
     * @param step the values that the step computed
     */
    void onStep(int layer, int direction, int time, double[] x, double[] h, double[] c, LstmCell.Step step);
}

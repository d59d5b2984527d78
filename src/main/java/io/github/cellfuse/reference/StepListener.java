package io.github.cellfuse.reference;

/** Sees every step of one row as it is computed: layer by layer, direction by direction, each in the order in which it runs. */
@FunctionalInterface
public interface StepListener {
    /**
     * A step has been computed. The arrays may be kept but not changed.
     *
     * @param layer 0 to L-1
     * @param direction 0 to D-1
     * @param time the step's index in the sequence, 0 to the row's length - 1: falls in a reverse direction
     * @param x features {@code [I]} of this layer
     * @param h hidden state before the step {@code [P]}
     * @param c cell state before the step {@code [H]}
     * @param step what it computed
     */
    void onStep(int layer, int direction, int time, double[] x, double[] h, double[] c, LstmCell.Step step);
}

package io.github.cellfuse.jvm;

/** Receives what a cell computes. Belongs to one task. */
@FunctionalInterface
interface CellRecorder {
    /**
     * Called for each unit in each step.
     *
     * @param row the row of the task
     * @param unit 0 to H-1
     * @param products the pre-activations; those of gate q, in the order i, f, g, o, are at {@code at + q·stride}
     * @param m {@code o⊙tanh(c)}
     */
    void put(
            int row,
            int unit,
            float[] products,
            int at,
            int stride,
            float i,
            float f,
            float g,
            float c,
            float o,
            float m);
}

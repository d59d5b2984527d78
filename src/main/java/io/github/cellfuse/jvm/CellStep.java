package io.github.cellfuse.jvm;

/** One time step of a group of rows: the products, the gates and the cell update of all units. Belongs to one task. */
interface CellStep {
    /**
     * {@code m = o⊙tanh(c')} of the first {@code rows} rows.
     *
     * @param x features of a row from {@code xOffset[row]}
     * @param h previous hidden states of a row from {@code hOffset[row]}
     * @param c cell states {@code [rows][cellWidth]}, updated in place
     * @param m receives the result of a row from {@code mOffset[row]}; neither {@code x} nor {@code h}
     */
    void step(int rows, float[] x, int[] xOffset, float[] h, int[] hOffset, float[][] c, float[] m, int[] mOffset);
}

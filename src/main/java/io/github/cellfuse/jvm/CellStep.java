package io.github.cellfuse.jvm;

/** One time step of a group of rows: the products, the gates and the cell update of all units. Belongs to one task. */
interface CellStep {
    /**
     * Computes {@code m = o⊙tanh(c')} for the first {@code rows} rows.
     *
     * @param x features {@code [I]} of each row
     * @param h previous hidden states {@code [P]} of each row
     * @param c cell states {@code [rows][cellWidth]}, updated in place
     * @param m receives the result {@code [H]} of each row; shares no values with {@code x} or {@code h}
     */
    void step(int rows, RowValues x, RowValues h, float[][] c, RowValues m);
}

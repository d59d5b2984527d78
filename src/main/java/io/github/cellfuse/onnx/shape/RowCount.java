package io.github.cellfuse.onnx.shape;

/**
 * What is known of the number of rows in a run.
 *
 * @param fewest the fewest rows
 * @param isOne whether each run has one row, because the model is made for one: rows can't mix then, and only their
 *     place is followed
 */
record RowCount(long fewest, boolean isOne) {
    static final RowCount ONE = new RowCount(1, true);

    static RowCount atLeast(long fewest) {
        return new RowCount(fewest, false);
    }
}

package io.github.cellfuse.batch;

/**
 * A range of rows of a batch.
 *
 * @param first the first row
 * @param count the number of rows, at least 1
 */
record Rows(long first, int count) {
    /** Returns the row after the last. */
    long end() {
        return first + count;
    }

    /** Returns whether a row is in both. */
    boolean intersects(long otherFirst, int otherCount) {
        return first < otherFirst + otherCount && otherFirst < end();
    }

    @Override
    public String toString() {
        return count == 1 ? "row " + first : "rows " + first + " to " + (end() - 1);
    }
}

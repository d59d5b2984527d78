package io.github.cellfuse.spark;

/** A row that can't be computed. The message says why, without the row's number. */
final class BadRow extends Exception {
    private static final long serialVersionUID = 1L;

    BadRow(String reason) {
        super(reason, null, false, false); // a table may have millions of them: no stack trace
    }
}

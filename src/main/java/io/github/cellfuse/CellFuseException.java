package io.github.cellfuse;

/** An operation failed while it ran. The message says what failed, where, and what to do about it. */
public class CellFuseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CellFuseException(String message) {
        super(message);
    }

    public CellFuseException(String message, Throwable cause) {
        super(message, cause);
    }
}

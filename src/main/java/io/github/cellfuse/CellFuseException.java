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

    /** Returns whether the reason is a lack of memory, so that fewer rows at a time may succeed. */
    public boolean isOutOfMemory() {
        return false;
    }
}

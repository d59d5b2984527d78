package io.github.cellfuse;

/**
 * The caller's data, files or arguments are wrong. The message is one line that names the file or field, what was
 * expected and what was found. Nothing has been computed or written.
 */
public class InvalidInputException extends CellFuseException {
    private static final long serialVersionUID = 1L;

    public InvalidInputException(String message) {
        super(message);
    }

    public InvalidInputException(String message, Throwable cause) {
        super(message, cause);
    }
}

package io.github.cellfuse.audit;

import io.github.cellfuse.CellFuseException;

/** A compiler failed, or wrote what this package can't read. */
public final class AuditException extends CellFuseException {
    private static final long serialVersionUID = 1;

    AuditException(String message) {
        super(message);
    }

    AuditException(String message, Throwable cause) {
        super(message, cause);
    }
}

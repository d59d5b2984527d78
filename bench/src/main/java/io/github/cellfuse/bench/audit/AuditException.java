package io.github.cellfuse.bench.audit;

import io.github.cellfuse.CellFuseException;

/** A compiler failed, or its output can't be read. */
public final class AuditException extends CellFuseException {
    private static final long serialVersionUID = 1;

    AuditException(String message) {
        super(message);
    }

    AuditException(String message, Throwable cause) {
        super(message, cause);
    }
}

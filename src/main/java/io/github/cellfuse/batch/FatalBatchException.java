package io.github.cellfuse.batch;

import io.github.cellfuse.CellFuseException;

/** A failure that isn't a device's: another device would fail, too. It ends the job. */
public final class FatalBatchException extends CellFuseException {
    private static final long serialVersionUID = 1;

    /** @param cause whose message is this one's */
    public FatalBatchException(Throwable cause) {
        super(cause.getMessage(), cause);
    }
}

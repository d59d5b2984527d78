package io.github.cellfuse.cl;

import io.github.cellfuse.CellFuseException;

/**
 * An OpenCL call failed. The message is one line: the call, the status by name and number, the purpose of the call, and
 * advice if there is any.
 */
public class ClException extends CellFuseException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String call;

    ClException(String call, int status, String wanted) {
        super(message(call, status, wanted));
        this.call = call;
        this.status = status;
    }

    private ClException(ClException cause, String advice) {
        super(cause.getMessage() + "; " + advice, cause);
        call = cause.call;
        status = cause.status;
    }

    /** Returns the OpenCL function that failed, such as {@code "clCreateBuffer"}. */
    public final String call() {
        return call;
    }

    /** OpenCL's status code, negative. */
    public final int status() {
        return status;
    }

    @Override
    public final boolean isOutOfMemory() {
        return Status.isOutOfMemory(status);
    }

    /** Returns whether a program that was built can't be used after all, as if it were that of another driver. */
    public final boolean isUnusableProgram() {
        return Status.isUnusableProgram(status);
    }

    /** Returns this error of a GPU that has kernels to run, with what may have happened to them. */
    final ClException afterLaunch() {
        return Status.mayBeTimeLimit(status) ? new ClException(this, Status.TIME_LIMIT) : this;
    }

    private static String message(String call, int status, String wanted) {
        String advice = Status.advice(status);
        return call + " failed with " + Status.name(status) + " (" + status + "): " + wanted
                + (advice.isEmpty() ? "" : "; " + advice);
    }
}

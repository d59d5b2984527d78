package io.github.cellfuse.cl;

import org.jocl.CL;
import org.jocl.cl_event;

/** The completion of one command and, on a profiling queue, its times. Safe for use from several threads. */
public final class ClEvent extends ClObject {
    /**
     * The times at which a command was queued, submitted to the device, started and ended, in nanoseconds of the
     * device's own clock. Only differences are meaningful.
     */
    public record Times(long queued, long submitted, long started, long ended) {}

    private final ClQueue queue;
    private final cl_event raw;

    private ClEvent(ClQueue queue, cl_event raw, Handle handle) {
        super(handle);
        this.queue = queue;
        this.raw = raw;
    }

    static ClEvent open(ClQueue queue, cl_event raw, String command) {
        return new ClEvent(queue, raw, Handle.open("event of " + command, () -> Cl.releaseEvent(raw), queue.handle()));
    }

    /** Returns the queue that the command was given to. */
    public ClQueue queue() {
        return queue;
    }

    cl_event raw() {
        checkOpen();
        return raw;
    }

    /** Returns whether the command has ended, without waiting. If it failed, {@link #await()} throws at once. */
    public boolean isComplete() {
        checkOpen();
        return Cl.eventStatus(raw, this) <= CL.CL_COMPLETE;
    }

    /**
     * Waits until the command is complete.
     *
     * @throws ClException when it failed
     */
    public void await() {
        checkOpen();
        queue.explained(() -> Cl.await(raw, this));
    }

    /**
     * The command's times, after waiting for it.
     *
     * @throws ClException when the queue was opened without profiling, or the command failed
     */
    public Times times() {
        await();
        String what = toString();
        return new Times(
                Cl.eventTime(raw, CL.CL_PROFILING_COMMAND_QUEUED, what),
                Cl.eventTime(raw, CL.CL_PROFILING_COMMAND_SUBMIT, what),
                Cl.eventTime(raw, CL.CL_PROFILING_COMMAND_START, what),
                Cl.eventTime(raw, CL.CL_PROFILING_COMMAND_END, what));
    }
}

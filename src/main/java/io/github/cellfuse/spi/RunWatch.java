package io.github.cellfuse.spi;

import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.RunListener;
import io.github.cellfuse.RunMetrics;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;

/**
 * Passes an engine's runs on to its {@link RunListener}, if it has one, and to the JDK's Flight Recorder, while it
 * records. Thread safe.
 */
public final class RunWatch {
    /** Passes nothing on: for runs that aren't the user's, such as those of a self-test. */
    public static final RunWatch NOBODY = new RunWatch(null, false);

    private final RunListener listener; // null: none
    private final boolean isRecorded;
    private final AtomicBoolean warned = new AtomicBoolean();

    private RunWatch(RunListener listener, boolean isRecorded) {
        this.listener = listener;
        this.isRecorded = isRecorded;
    }

    /** Returns the watch on an engine with these options. */
    public static RunWatch of(EngineOptions options) {
        return new RunWatch(options.listener().orElse(null), true);
    }

    /**
     * Returns the report of a run that begins now. If nobody wants one it is {@link RunReport#NONE}, and nothing is
     * allocated.
     */
    public RunReport begin() {
        boolean recorded = isRecorded && FlightRecords.ofRuns();
        return listener == null && !recorded ? RunReport.NONE : new RunReport(this, recorded);
    }

    /** Returns whether a session that is opened now should time its launches and copies, for {@link LaunchRecord}. */
    public boolean wantsLaunches() {
        return isRecorded && FlightRecords.ofLaunches();
    }

    /** Returns whether there is a listener. */
    boolean hasListener() {
        return listener != null;
    }

    /** Tells the listener. Its exceptions end here: the run has succeeded, and its results are the caller's. */
    void tell(RunMetrics run) {
        try {
            listener.onRun(run);
        } catch (RuntimeException e) {
            if (warned.compareAndSet(false, true)) {
                // Looked up only here, as in DropWatch.
                LoggerFactory.getLogger(RunWatch.class)
                        .warn(
                                "the run listener of an engine on {} failed; later failures aren't logged",
                                run.device(),
                                e);
            }
        }
    }
}

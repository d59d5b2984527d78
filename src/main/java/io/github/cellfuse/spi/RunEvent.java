package io.github.cellfuse.spi;

import io.github.cellfuse.RunMetrics;
import java.util.Locale;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A run in a recording of the JDK's Flight Recorder. Loaded only where {@link FlightRecords} finds the recorder. */
@Name("cellfuse.Run")
@Label("Run")
@Category("CellFuse")
@Description("A batch, or the next piece of some streams, that a session has run")
@StackTrace(false)
final class RunEvent extends Event {
    /** Only asked, never recorded: a run without a recording makes no event. */
    private static final RunEvent PROBE = new RunEvent();

    @Label("Device")
    private String device;

    @Label("Plan")
    @Description("None on java and reference")
    private String plan;

    @Label("Rows")
    private int rows;

    @Label("Steps")
    private int steps;

    @Label("Waiting")
    @Description("Until a thread of the engine, or the device, was free")
    @Timespan(Timespan.NANOSECONDS)
    private long waiting;

    @Label("Computing")
    @Description("On the device, with the copies to it and from it, by the host's clock")
    @Timespan(Timespan.NANOSECONDS)
    private long computing;

    /** Returns whether anybody records runs. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }

    /** Returns the event of a run that begins now. */
    static RunEvent begun() {
        RunEvent event = new RunEvent();
        event.begin();
        return event;
    }

    /** Records the run, which ends now. */
    void end(RunMetrics run) {
        end();
        if (shouldCommit()) {
            device = run.device().toString();
            plan = run.plan()
                    .map(chosen -> chosen.name().toLowerCase(Locale.ROOT))
                    .orElse(null);
            rows = run.rows();
            steps = run.steps();
            waiting = run.waitNanos();
            computing = run.computeNanos();
            commit();
        }
    }
}

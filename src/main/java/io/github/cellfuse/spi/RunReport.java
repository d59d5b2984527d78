package io.github.cellfuse.spi;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RunMetrics;
import java.util.Optional;

/**
 * The times of one run, which its session measures: {@link #ready} once, {@link #waits} and {@link #proceeds} around
 * each wait for others, {@link #done} at the end. Belongs to the run.
 */
public final class RunReport {
    /** The report that nobody wants. Its methods do nothing; it is shared. */
    public static final RunReport NONE = new RunReport(null, false);

    private final RunWatch watch; // null: NONE
    private final RunEvent event; // null: no recording
    private Plan plan; // null: none
    private long start, waitStart, waited;

    RunReport(RunWatch watch, boolean recorded) {
        this.watch = watch;
        event = recorded ? RunEvent.begun() : null;
    }

    /** Notes that the run is prepared, and that its work begins, or waits. */
    public void ready() {
        if (this != NONE) {
            start = System.nanoTime();
        }
    }

    /** Notes the plan. */
    public void plan(Plan chosen) {
        if (this != NONE) {
            plan = chosen;
        }
    }

    /** Notes that the run begins to wait until others have done. */
    public void waits() {
        if (this != NONE) {
            waitStart = System.nanoTime();
        }
    }

    /** Notes that the wait is over. */
    public void proceeds() {
        if (this != NONE) {
            waited += System.nanoTime() - waitStart;
        }
    }

    /** Returns {@code task}, which waits from now on until a thread begins it. The caller waits for its end. */
    Runnable untilItBegins(Runnable task) {
        waits();
        return () -> {
            proceeds();
            task.run();
        };
    }

    /** Reports that the results of {@code batch} are with the caller. */
    public void done(LstmEngine engine, LstmInput batch) {
        if (this == NONE) {
            return;
        }
        long computed = System.nanoTime() - start - waited;
        RunMetrics run = new RunMetrics(
                engine.device(), Optional.ofNullable(plan), batch.rows(), batch.steps(), waited, computed);
        if (event != null) {
            event.end(run);
        }
        if (watch.hasListener()) {
            watch.tell(run);
        }
    }
}

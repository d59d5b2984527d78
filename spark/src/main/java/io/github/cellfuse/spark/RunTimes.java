package io.github.cellfuse.spark;

import io.github.cellfuse.RunListener;
import io.github.cellfuse.RunMetrics;

/**
 * The times of the runs on one thread. An engine is shared by the tasks of a JVM and has one listener, which it calls
 * on the thread of the run: so each task finds its own times on its thread.
 */
final class RunTimes {
    private static final ThreadLocal<RunTimes> OF_THREAD = ThreadLocal.withInitial(RunTimes::new);

    /** The listener of every engine. */
    static final RunListener LISTENER = RunTimes::add;

    private long computeNanos;
    private long waitNanos;

    private RunTimes() {}

    private static void add(RunMetrics run) {
        RunTimes times = OF_THREAD.get();
        times.computeNanos += run.computeNanos();
        times.waitNanos += run.waitNanos();
    }

    /** Forgets the runs of this thread so far. */
    static void reset() {
        OF_THREAD.remove();
    }

    /** Returns the times since the last reset. */
    static RunTimes get() {
        return OF_THREAD.get();
    }

    double computeSeconds() {
        return computeNanos * 1e-9;
    }

    double waitSeconds() {
        return waitNanos * 1e-9;
    }
}

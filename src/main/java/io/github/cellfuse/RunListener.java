package io.github.cellfuse;

/**
 * Is told of each run of an engine's sessions: for a program's metrics. {@link EngineOptions#withListener} gives it to
 * an engine.
 *
 * <p>A run that returns is reported once, after its results are with the caller: {@link LstmSession#run}, and
 * {@link LstmStreams#run}, whose rows are streams. A run that throws isn't reported; its caller has the exception.
 *
 * <p>The listener is called on the thread that ran, before the run returns, so its time is the caller's. Sessions of
 * other threads call it at the same time: it must be thread safe. It may open and close engines and sessions, but not
 * use the session that has just run.
 *
 * <p>What it throws doesn't reach the caller of the run: the first exception of an engine's listener is a warning in
 * the log, later ones are dropped, and it goes on being called. An {@link Error} does reach the caller, whose output is
 * complete by then.
 */
@FunctionalInterface
public interface RunListener {
    /** Called after a run. */
    void onRun(RunMetrics run);
}

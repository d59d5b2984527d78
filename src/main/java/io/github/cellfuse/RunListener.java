package io.github.cellfuse;

/**
 * Receives each run of an engine's sessions: for a program's metrics. {@link EngineOptions#withListener} gives it to an
 * engine.
 *
 * <p>A run that returns is reported once, after its results are with the caller: {@link LstmSession#run}, and
 * {@link LstmStreams#run}, whose rows are streams. A run that throws isn't reported; its caller has the exception.
 *
 * <p>The listener is called on the thread that ran, before the run returns, so its time is the caller's. Sessions of
 * other threads call it at the same time: it must be thread safe. It may open and close engines and sessions, but not
 * use the session that has just run.
 *
 * <p>An exception of the listener doesn't reach the caller of the run. The log has a warning for the first one of an
 * engine; the engine drops later ones, and goes on calling the listener. An {@link Error} reaches the caller, whose
 * output is complete by then.
 */
@FunctionalInterface
public interface RunListener {
    /** Called after a run. */
    void onRun(RunMetrics run);
}

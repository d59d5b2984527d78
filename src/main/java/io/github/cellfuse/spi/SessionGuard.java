package io.github.cellfuse.spi;

/**
 * Keeps the rules of a session: one thread at a time, not after it was closed, and only while its engine is open. Each
 * misuse is an {@link IllegalStateException} that names the rule, before anything has been touched.
 */
public final class SessionGuard {
    private final Lifetime engine;
    private final SingleUser user = new SingleUser("a session belongs to one thread at a time; open one per thread");
    private boolean closed;

    /** Guards a session of the engine with this lifetime. */
    public SessionGuard(Lifetime engine) {
        this.engine = engine;
    }

    /**
     * Does {@code work}, which uses the session. The engine isn't closed meanwhile. Uses may be nested.
     *
     * @throws IllegalStateException if another thread uses the session, or the session or its engine is closed
     */
    public void use(Runnable work) {
        user.use(() -> {
            if (closed) {
                throw new IllegalStateException("the session is closed");
            }
            engine.use(work);
        });
    }

    /**
     * Refuses later uses and calls {@code release}, also if the engine is closed. Does nothing when repeated.
     *
     * @throws IllegalStateException if another thread uses the session
     */
    public void close(Runnable release) {
        user.use(() -> {
            if (!closed) {
                closed = true;
                release.run();
            }
        });
    }
}

package io.github.cellfuse.spi;

/**
 * Keeps the rules of a session: one thread at a time, not after it was closed, and only while its engine is open. Each
 * misuse is an {@link IllegalStateException} that names the rule, before anything has been touched.
 */
public final class SessionGuard {
    private final Lifetime engine;
    private final SingleUser user = new SingleUser("a session belongs to one thread at a time; open one per thread");
    private volatile boolean closed;
    private volatile DropWatch watch; // null: nobody wants to know

    /** Guards a session of the engine with this lifetime. */
    public SessionGuard(Lifetime engine) {
        this.engine = engine;
    }

    /**
     * Logs a warning if the program drops {@code session} while it holds memory of a device. A session calls this when
     * nothing of its opening can fail any more.
     */
    public void watch(Object session) {
        watch = DropWatch.on(
                session,
                "a session of " + engine.what(),
                "its memory is held until the engine is closed",
                this::isOver,
                () -> {});
    }

    /** Returns whether the session or its engine has been closed. */
    public boolean isOver() {
        return closed || engine.hasEnded();
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
                if (watch != null) {
                    watch.end();
                }
            }
        });
    }
}

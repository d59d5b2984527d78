package io.github.cellfuse.spi;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * The time during which an engine can be used: from its opening until {@link #end}, which waits for the uses that have
 * begun. Thread safe.
 */
public final class Lifetime {
    private final String what;
    /** Held for reading while the engine is used, and for writing while it is closed. */
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    private volatile boolean ended;
    private volatile DropWatch watch; // null: nobody wants to know

    /**
     * Begins the lifetime.
     *
     * @param what what is open, for messages, such as {@code "the java engine"}
     */
    public Lifetime(String what) {
        this.what = what;
    }

    /**
     * Logs a warning if the program drops {@code engine} before its lifetime has ended. An engine calls this when
     * nothing of its opening can fail any more.
     *
     * @param consequence what becomes of what the engine holds, such as {@code "its threads end now"}
     * @param release frees what can be freed then; must not refer to the engine
     */
    public void watch(Object engine, String consequence, Runnable release) {
        watch = DropWatch.on(engine, what, consequence, this::hasEnded, release);
    }

    /** Returns what is open, for messages. */
    String what() {
        return what;
    }

    boolean hasEnded() {
        return ended;
    }

    /**
     * Does {@code work}, during which the lifetime doesn't end.
     *
     * @throws IllegalStateException if the lifetime has ended
     */
    public void use(Runnable work) {
        get(() -> {
            work.run();
            return null;
        });
    }

    /** Returns the result of {@code work}, during which the lifetime doesn't end; throws as {@link #use} does. */
    public <T> T get(Supplier<T> work) {
        lock.readLock().lock();
        try {
            if (ended) {
                throw new IllegalStateException(what + " is closed");
            }
            return work.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Waits for the uses that have begun, refuses later ones, and calls {@code release}. Does nothing when repeated.
     */
    public void end(Runnable release) {
        lock.writeLock().lock();
        try {
            if (!ended) {
                ended = true;
                release.run();
                if (watch != null) {
                    watch.end();
                }
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}

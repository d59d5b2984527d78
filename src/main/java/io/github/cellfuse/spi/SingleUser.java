package io.github.cellfuse.spi;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Detects that two threads use an object at the same time that belongs to one thread at a time. The second one gets an
 * exception instead of wrong results. A use costs a few nanoseconds.
 */
public final class SingleUser {
    private final String rule;
    private final AtomicReference<Thread> user = new AtomicReference<>();
    /** Uses of {@link #user} that are nested. Only that thread reads or writes it. */
    private int depth;

    /**
     * Guards an object.
     *
     * @param rule what the message of the exception says after the name of the other thread, such as {@code "a session
     *     belongs to one thread at a time"}
     */
    public SingleUser(String rule) {
        this.rule = rule;
    }

    /**
     * Does {@code work} as the only thread that uses the object. Uses may be nested.
     *
     * @throws IllegalStateException if another thread is using the object; {@code work} has not begun
     */
    public void use(Runnable work) {
        get(() -> {
            work.run();
            return null;
        });
    }

    /**
     * Returns the result of {@code work}, done as the only thread that uses the object; throws as {@link #use} does.
     */
    public <T> T get(Supplier<T> work) {
        Thread self = Thread.currentThread();
        if (user.get() != self && !user.compareAndSet(null, self)) {
            Thread other = user.get();
            throw new IllegalStateException("used by two threads at the same time"
                    + (other == null ? "" : ": " + other.getName() + " is in a call") + "; " + rule);
        }
        depth++;
        try {
            return work.get();
        } finally {
            if (--depth == 0) {
                user.set(null);
            }
        }
    }
}

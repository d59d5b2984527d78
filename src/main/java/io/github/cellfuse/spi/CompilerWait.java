package io.github.cellfuse.spi;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Says that a driver is compiling when a user waits for it for more than a moment. A driver that finds its programs in
 * a cache is done before. Thread safe.
 */
public final class CompilerWait {
    /** Some times as long as drivers take for programs that they have compiled before. */
    private static final long MOMENT_MILLIS = 1000;

    /** Those who wait; by identity, as they don't compare. */
    private static final List<Waiting> WAITING = new CopyOnWriteArrayList<>();

    private CompilerWait() {}

    /** A user who waits, and hears of it once. */
    private static final class Waiting {
        private final Consumer<String> say;
        private final AtomicBoolean isTimed = new AtomicBoolean();

        private Waiting(Consumer<String> say) {
            this.say = say;
        }

        /** Starts the clock at the first program. */
        private void begins(String message, Executor afterAMoment) {
            if (isTimed.compareAndSet(false, true)) {
                afterAMoment.execute(() -> tell(message));
            }
        }

        private void tell(String message) {
            if (WAITING.remove(this)) {
                say.accept(message);
            }
        }
    }

    /**
     * Returns the result of {@code work}. If {@code work} goes on for more than a moment after a driver began to
     * compile, {@code say} gets one sentence, on another thread. Programs of other threads count as well: a process has
     * one user.
     */
    public static <T> T telling(Consumer<String> say, Supplier<T> work) {
        Waiting waiting = new Waiting(say);
        WAITING.add(waiting);
        try {
            return work.get();
        } finally {
            WAITING.remove(waiting);
        }
    }

    /**
     * Notes that a driver begins to compile a program. Some compile later, when they launch a kernel for the first
     * time.
     *
     * @param device the name of the device
     */
    public static void begins(Object device) {
        begins(device, CompletableFuture.delayedExecutor(MOMENT_MILLIS, TimeUnit.MILLISECONDS));
    }

    /** Does the same, where {@code afterAMoment} runs what it is given after a moment. */
    static void begins(Object device, Executor afterAMoment) {
        if (!WAITING.isEmpty()) { // empty in a program that uses the library
            String message = device + ": compiling kernels, which takes seconds the first time ...";
            WAITING.forEach(waiting -> waiting.begins(message, afterAMoment));
        }
    }
}

package io.github.cellfuse.spi;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Says that a driver is compiling when that takes more than a moment and a user waits for it. A driver that finds its
 * program in a cache is done before. Thread safe.
 */
public final class CompilerWait {
    /** A program that was compiled before is ready in a fifth of that. */
    private static final long MOMENT_MILLIS = 500;

    /** Those who wait; by identity, as they don't compare. */
    private static final List<Waiting> WAITING = new CopyOnWriteArrayList<>();

    private CompilerWait() {}

    /** A user who waits, and hears of it once. */
    private static final class Waiting {
        private final Consumer<String> say;

        private Waiting(Consumer<String> say) {
            this.say = say;
        }

        private void tell(String message) {
            if (WAITING.remove(this)) {
                say.accept(message);
            }
        }
    }

    /**
     * Returns the result of {@code work}. Meanwhile, {@code say} gets one sentence if a driver compiles for more than a
     * moment, on another thread. Work of other threads counts as well: a program has one user.
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
     * Returns the result of {@code compiling}.
     *
     * @param device the name of the device whose driver compiles
     */
    public static <T> T during(Object device, Supplier<T> compiling) {
        return during(device, compiling, CompletableFuture.delayedExecutor(MOMENT_MILLIS, TimeUnit.MILLISECONDS));
    }

    /** Does the same, where {@code afterAMoment} runs what it is given after a moment. */
    static <T> T during(Object device, Supplier<T> compiling, Executor afterAMoment) {
        if (WAITING.isEmpty()) {
            return compiling.get(); // as in a program that uses the library
        }
        String message = device + ": compiling kernels, which takes seconds the first time ...";
        CompletableFuture<Void> late =
                CompletableFuture.runAsync(() -> WAITING.forEach(waiting -> waiting.tell(message)), afterAMoment);
        try {
            return compiling.get();
        } finally {
            late.cancel(false);
        }
    }
}

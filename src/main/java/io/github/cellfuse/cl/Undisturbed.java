package io.github.cellfuse.cl;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/** Waits for work that must not fail because the calling thread was interrupted. */
public final class Undisturbed {
    private Undisturbed() {}

    /**
     * Returns what {@code work} returns. It runs in a thread that nobody can interrupt, which ends with it. Reading a
     * file or a class on an interrupted thread may fail, and a class whose initialization failed, such as JOCL's, can
     * never be used again.
     */
    static <T> T call(Supplier<T> work) {
        return await(start("cellfuse-opencl-probe", work));
    }

    /** Starts {@code work} in a daemon thread of its own. */
    public static <T> Future<T> start(String threadName, Supplier<T> work) {
        FutureTask<T> task = new FutureTask<>(work::get);
        Thread thread = new Thread(task, threadName);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    /**
     * Waits for what {@link #start} has started. An interrupt of the calling thread is kept for later.
     *
     * @return its result, or throws what it threw
     */
    public static <T> T await(Future<T> work) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return work.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error; // such as a library that is missing
            }
            throw (RuntimeException) e.getCause(); // a Supplier throws nothing else
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

package io.github.cellfuse.cl;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/** Runs what happens once in a process, and so must not fail because its thread was interrupted. */
final class Undisturbed {
    private Undisturbed() {}

    /**
     * Returns what {@code work} returns. It runs in a thread that nobody can interrupt, which ends with it; an
     * interrupt of the calling thread is kept for later. Reading a file or a class on an interrupted thread may fail,
     * and a class whose initialization failed, such as JOCL's, can never be used again.
     */
    static <T> T call(Supplier<T> work) {
        FutureTask<T> task = new FutureTask<>(work::get);
        Thread thread = new Thread(task, "cellfuse-opencl-probe");
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
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

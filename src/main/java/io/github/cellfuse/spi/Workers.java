package io.github.cellfuse.spi;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of an engine that computes on the host. Thread safe. */
public final class Workers {
    private static final AtomicInteger THREADS = new AtomicInteger();

    private final String device;
    private final ExecutorService threads;

    /**
     * Makes {@code count} threads, which begin when they are needed.
     *
     * @param device the name of the engine's device, for the names of the threads and for messages
     */
    public Workers(String device, int count) {
        this.device = device;
        threads = Executors.newFixedThreadPool(count, task -> {
            Thread thread = new Thread(task, "cellfuse-" + device + "-" + THREADS.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Runs {@code tasks} and waits for all of them, even after a failure or an interruption: they use memory of the
     * session and of the caller, who may reuse it as soon as this method returns. After a failure or an interruption,
     * tasks that haven't begun are left out.
     *
     * @throws CellFuseException if the thread is interrupted; it is still interrupted then
     * @throws RuntimeException what a task threw
     */
    public void runAll(List<? extends Runnable> tasks) {
        AtomicBoolean failed = new AtomicBoolean();
        List<Future<?>> futures = new ArrayList<>(tasks.size());
        RuntimeException failure = null;
        for (Runnable task : tasks) {
            futures.add(threads.submit(() -> {
                if (!failed.get()) {
                    task.run();
                }
            }));
        }
        boolean interrupted = false;
        for (Future<?> future : futures) {
            for (boolean done = false; !done; ) {
                try {
                    future.get();
                    done = true;
                } catch (InterruptedException e) {
                    failed.set(true);
                    interrupted = true;
                    failure = new CellFuseException("interrupted while waiting for the " + device + " engine", e);
                } catch (ExecutionException e) {
                    failed.set(true);
                    done = true;
                    failure = e.getCause() instanceof RuntimeException own
                            ? own
                            : new CellFuseException(
                                    "a worker of the " + device + " engine failed: " + e.getCause(), e.getCause());
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Lets the threads end after what they have begun. */
    public void shutdown() {
        threads.shutdown();
    }
}

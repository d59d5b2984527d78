package io.github.cellfuse.spi;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/** The threads of an engine that computes or copies on the host. Thread safe. */
public final class Workers {
    private static final AtomicInteger THREADS = new AtomicInteger();

    private final String device;
    private final ExecutorService threads;

    /**
     * Makes {@code count} threads, which begin when they are needed.
     *
     * @param device the name of the engine's device, or of what the threads do, for their names and for messages
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
        runAll(tasks, RunReport.NONE);
    }

    /**
     * Does the same as a part of a run, which waits until the first task begins. Tasks begin in their order, so those
     * of other sessions are all that it waits for.
     */
    public void runAll(List<? extends Runnable> tasks, RunReport report) {
        if (report != RunReport.NONE && !tasks.isEmpty()) {
            List<Runnable> timed = new ArrayList<>(tasks);
            timed.set(0, report.untilItBegins(timed.get(0)));
            runToTheEnd(timed);
        } else {
            runToTheEnd(tasks);
        }
    }

    private void runToTheEnd(List<? extends Runnable> tasks) {
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

    /**
     * Does {@code pieces} pieces of work in this thread, and in as many others as are free. This thread doesn't wait
     * for others to begin, so that little work takes no longer than without them. After a failure, pieces that haven't
     * begun are left out. An interruption is kept for later.
     *
     * @param helpers the most other threads
     * @param piece called with 0 to {@code pieces - 1}, once each
     * @throws RuntimeException what a piece threw first, in any thread; or an {@link Error}
     */
    public void share(int pieces, int helpers, IntConsumer piece) {
        SharedWork work = new SharedWork(pieces, piece);
        for (int helper = 0; helper < helpers; helper++) {
            threads.execute(work);
        }
        work.run();
        work.await();
    }

    /** Pieces that threads take one by one. */
    private static final class SharedWork implements Runnable {
        private final int pieces;
        private final IntConsumer piece;
        private final AtomicInteger next = new AtomicInteger();
        private final CountDownLatch open;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        SharedWork(int pieces, IntConsumer piece) {
            this.pieces = pieces;
            this.piece = piece;
            open = new CountDownLatch(pieces);
        }

        /** Takes pieces until there are none. */
        @Override
        public void run() {
            for (int k = next.getAndIncrement(); k < pieces; k = next.getAndIncrement()) {
                try {
                    if (failure.get() == null) {
                        piece.accept(k);
                    }
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                } finally {
                    open.countDown();
                }
            }
        }

        /** Waits for the pieces that other threads have taken. */
        void await() {
            boolean interrupted = false;
            while (open.getCount() > 0) {
                try {
                    open.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            if (failure.get() instanceof Error error) {
                throw error;
            }
            if (failure.get() instanceof RuntimeException exception) {
                throw exception;
            }
        }
    }

    /** Lets the threads end after what they have begun. */
    public void shutdown() {
        threads.shutdown();
    }
}

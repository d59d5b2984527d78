package io.github.cellfuse.jvm;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import io.github.cellfuse.spi.Lifetime;
import io.github.cellfuse.spi.SessionGuard;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The {@code java} device with a model's weights and its worker threads. The rows of a batch are independent through
 * all time steps of a layer, so each worker takes a group of rows through a whole layer; workers only synchronize
 * between layers. Thread safe.
 */
public final class JavaEngine implements TracingEngine {
    private static final AtomicInteger THREADS = new AtomicInteger();

    private final LstmModel model;
    private final ModelWeights weights;
    private final int threads;
    private final ExecutorService workers;
    private final Lifetime lifetime = new Lifetime("the java engine");

    JavaEngine(LstmModel model, EngineOptions options, ModelWeights weights) {
        this.model = model;
        this.weights = weights;
        threads =
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "cellfuse-java-" + THREADS.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public Device device() {
        return Device.JAVA;
    }

    @Override
    public LstmModel model() {
        return model;
    }

    @Override
    public Tier tier() {
        return Tier.EXACT;
    }

    @Override
    public String explain(int rows, int steps) {
        return "java: row groups " + groups(rows) + ", threads " + threads + ", " + weights.explain(rows, steps);
    }

    @Override
    public LstmSession newSession() {
        return lifetime.get(() -> new JavaSession(this, new SessionGuard(lifetime)));
    }

    @Override
    public TracedSession newTracedSession() {
        return lifetime.get(() -> new JavaTracedSession(new JavaSession(this, new SessionGuard(lifetime))));
    }

    @Override
    public void close() {
        lifetime.end(workers::shutdown);
    }

    /** Returns the weights for a run of this shape. */
    ModelWeights.Packed weights(int rows, int steps) {
        return weights.forRun(rows, steps);
    }

    /**
     * Returns the number of row groups of a batch. A group shares its passes over the weights, so it has at least the
     * rows of a tile.
     */
    int groups(int rows) {
        return Math.min(threads, (rows + GateProduct.ROWS - 1) / GateProduct.ROWS);
    }

    /**
     * Runs {@code tasks} on the workers and waits for all of them, even after a failure or an interruption: they write
     * into arrays of the session and of the caller, who may reuse them as soon as this method returns.
     */
    void runAll(List<? extends Runnable> tasks) {
        AtomicBoolean failed = new AtomicBoolean();
        List<Future<?>> futures = new ArrayList<>(tasks.size());
        RuntimeException failure = null;
        for (Runnable task : tasks) {
            futures.add(workers.submit(() -> {
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
                    failure = new CellFuseException("interrupted while waiting for the java engine", e);
                } catch (ExecutionException e) {
                    failed.set(true);
                    done = true;
                    failure = e.getCause() instanceof RuntimeException own
                            ? own
                            : new CellFuseException(
                                    "a worker of the java engine failed: " + e.getCause(), e.getCause());
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
}

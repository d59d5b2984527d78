package io.github.cellfuse.jvm;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import io.github.cellfuse.spi.Lifetime;
import io.github.cellfuse.spi.RunReport;
import io.github.cellfuse.spi.RunWatch;
import io.github.cellfuse.spi.SessionGuard;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import io.github.cellfuse.spi.Workers;
import java.util.List;

/**
 * The {@code java} device with a model's weights and its worker threads. The rows of a batch are independent through
 * all time steps of a layer, so each worker takes a group of rows through a whole layer; workers only synchronize
 * between layers. Thread safe.
 */
public final class JavaEngine implements TracingEngine {
    private final LstmModel model;
    private final ModelWeights weights;
    private final int threads;
    private final Workers workers;
    private final RunWatch runs;
    private final Lifetime lifetime = new Lifetime("the java engine");

    JavaEngine(LstmModel model, EngineOptions options, ModelWeights weights) {
        this(model, options, weights, RunWatch.of(options));
    }

    JavaEngine(LstmModel model, EngineOptions options, ModelWeights weights, RunWatch runs) {
        this.model = model;
        this.runs = runs;
        this.weights = weights;
        threads =
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        workers = new Workers("java", threads);
        lifetime.watch(this, "its threads end now", workers::shutdown);
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
        return lifetime.get(() -> new JavaSession(this, new SessionGuard(lifetime)));
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

    /** Runs {@code tasks} on the workers and waits for all of them: {@link Workers#runAll}. */
    void runAll(List<? extends Runnable> tasks, RunReport report) {
        workers.runAll(tasks, report);
    }

    RunWatch runs() {
        return runs;
    }
}

package io.github.cellfuse.reference;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Tier;
import io.github.cellfuse.spi.Lifetime;
import io.github.cellfuse.spi.RunReport;
import io.github.cellfuse.spi.RunWatch;
import io.github.cellfuse.spi.SessionGuard;
import io.github.cellfuse.spi.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * The {@code reference} device: double precision, the equations as written. Rows run in parallel, each on one thread.
 * Thread safe.
 */
public final class ReferenceEngine implements LstmEngine {
    private final LstmModel model;
    private final List<List<LstmCell>> cells;
    private final int threads;
    private final Workers workers;
    private final RunWatch runs;
    private final Lifetime lifetime = new Lifetime("the reference engine");

    /** Opens {@code model}. Of the options, all but the plan matter. */
    public ReferenceEngine(LstmModel model, EngineOptions options) {
        this(model, options, LstmCell::new);
    }

    /** Opens {@code model} with cells created by {@code newCell}. */
    ReferenceEngine(LstmModel model, EngineOptions options, Function<LstmWeights, LstmCell> newCell) {
        this.model = options.weights().round(model);
        cells = this.model.layers().stream()
                .map(layer -> layer.weights().stream().map(newCell).toList())
                .toList();
        threads =
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
        workers = new Workers("reference", threads);
        runs = RunWatch.of(options);
        lifetime.watch(this, "its threads end now", workers::shutdown);
    }

    @Override
    public Device device() {
        return Device.REFERENCE;
    }

    @Override
    public LstmModel model() {
        return model;
    }

    @Override
    public Tier tier() {
        return Tier.REFERENCE;
    }

    @Override
    public String explain(int rows, int steps) {
        return "reference: step by step in double precision, threads " + Math.min(threads, rows);
    }

    @Override
    public ReferenceSession newSession() {
        return lifetime.get(() -> new ReferenceSession(this, new SessionGuard(lifetime)));
    }

    @Override
    public void close() {
        lifetime.end(workers::shutdown);
    }

    LstmCell cell(int layer, int direction) {
        return cells.get(layer).get(direction);
    }

    /** Calls {@code work} for the rows 0 to {@code rows - 1} on the worker threads and waits for all of them. */
    void forEachRow(int rows, IntConsumer work, RunReport report) {
        List<Runnable> tasks = new ArrayList<>(rows);
        for (int n = 0; n < rows; n++) {
            int row = n;
            tasks.add(() -> work.accept(row));
        }
        workers.runAll(tasks, report);
    }

    RunWatch runs() {
        return runs;
    }
}

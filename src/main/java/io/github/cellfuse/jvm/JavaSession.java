package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.CellTrace;
import io.github.cellfuse.spi.RowOrder;
import io.github.cellfuse.spi.RunReport;
import io.github.cellfuse.spi.SessionGuard;
import io.github.cellfuse.spi.Sizes;
import io.github.cellfuse.spi.TracedSession;
import java.util.ArrayList;
import java.util.List;

/** Runs batches on the {@code java} device: layer by layer, each as one task per direction and group of rows. */
final class JavaSession implements LstmSession, TracedSession {
    private final JavaEngine engine;
    private final SessionGuard guard;
    /**
     * Histories {@code [T+2][N·D·P]} of the hidden states of the layer below and of the layer being computed; see
     * {@link RowOrder}.
     */
    private float[][] below = {};

    private float[][] current = {};

    JavaSession(JavaEngine engine, SessionGuard guard) {
        this.engine = engine;
        this.guard = guard;
    }

    @Override
    public LstmEngine engine() {
        return engine;
    }

    @Override
    public void run(LstmInput input, LstmOutput output) {
        RunReport report = engine.runs().begin();
        guard.use(() -> compute(input, output, null, report));
        report.done(engine, input);
    }

    @Override
    public void run(LstmInput input, LstmOutput output, CellListener listener) {
        guard.use(() -> compute(input, output, listener, RunReport.NONE));
    }

    /** Without a listener, null, no trace is kept. */
    private void compute(LstmInput input, LstmOutput output, CellListener listener, RunReport report) {
        LstmModel model = engine.model();
        input.check(model);
        output.check(model, input);
        report.ready();
        RowOrder order = new RowOrder(input);
        ModelWeights.Packed weights = engine.weights(input.rows(), input.steps());
        int slotSize = Sizes.elements("hidden states of a step [N,D*P]", input.rows(), model.widestOutput());
        for (int layer = 0; layer < model.layerCount(); layer++) {
            float[][] recycled = below;
            below = current;
            current = history(recycled, order.steps() + 2, slotSize);
            int groups = engine.groups(input.rows());
            List<CellTrace> traces = listener == null ? List.of() : traces(model, layer, order);
            runLayer(
                    new LayerJob(
                            model, layer, order, groups, current, input.initialState(), output.finalState(), traces),
                    weights,
                    input,
                    report);
            traces.forEach(trace -> listener.onSteps(trace));
        }
        if (output.hasY()) {
            copyOut(input, output, order, report);
        }
    }

    /** Returns traces with room for all steps of each direction; none if no row has a step. */
    private static List<CellTrace> traces(LstmModel model, int layer, RowOrder order) {
        LstmLayer sizes = model.layer(layer);
        int steps = order.length(0), rows = order.rows();
        List<CellTrace> traces = new ArrayList<>();
        for (int direction = 0; direction < sizes.directionCount() && steps > 0; direction++) {
            traces.add(CellTrace.allocate(sizes, layer, direction, 0, steps, rows));
        }
        return traces;
    }

    private void runLayer(LayerJob job, ModelWeights.Packed weights, LstmInput input, RunReport report) {
        List<LayerTask> tasks = new ArrayList<>();
        for (int direction = 0; direction < job.sizes().directionCount(); direction++) {
            for (int group = 0; group < job.groups(); group++) {
                LayerInput source = job.layer() == 0
                        ? LayerInput.of(input, job.order())
                        : LayerInput.of(below, job.sizes().inputSize());
                tasks.add(new LayerTask(job, direction, group, weights.of(job.layer(), direction), source));
            }
        }
        engine.runAll(tasks, report);
    }

    private void copyOut(LstmInput input, LstmOutput output, RowOrder order, RunReport report) {
        int groups = engine.groups(input.rows());
        List<Runnable> tasks = new ArrayList<>();
        for (int group = 0; group < groups; group++) {
            int first = group;
            tasks.add(() -> {
                for (int position = first; position < order.rows(); position += groups) {
                    copyRow(input, output, order, position);
                }
            });
        }
        engine.runAll(tasks, report);
    }

    private void copyRow(LstmInput input, LstmOutput output, RowOrder order, int position) {
        int width = engine.model().outputSize();
        int row = order.row(position), length = order.length(position);
        float[] zeros = new float[width];
        for (int step = 0; step < input.steps(); step++) {
            int at = input.offset(row, step, width);
            if (step < length) {
                output.y().put(at, current[step + 1], position * width, width);
            } else {
                output.y().put(at, zeros, 0, width);
            }
        }
    }

    /** Returns {@code old} if it is large enough, else a new history. Values from earlier runs are never read. */
    private static float[][] history(float[][] old, int slots, int slotSize) {
        return old.length >= slots && old[0].length >= slotSize ? old : new float[slots][slotSize];
    }

    @Override
    public void close() {
        guard.close(() -> below = current = new float[0][]);
    }
}

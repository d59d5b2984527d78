package io.github.cellfuse.reference;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.RunReport;
import io.github.cellfuse.spi.SessionGuard;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.IntFunction;

/** Runs batches in double precision: each row by itself, one step at a time. Not thread safe. */
public final class ReferenceSession implements LstmSession {
    private static final StepListener NOBODY = (layer, direction, time, x, h, c, step) -> {};

    private final ReferenceEngine engine;
    private final SessionGuard guard;

    ReferenceSession(ReferenceEngine engine, SessionGuard guard) {
        this.engine = engine;
        this.guard = guard;
    }

    @Override
    public ReferenceEngine engine() {
        return engine;
    }

    /** {@inheritDoc} Each double result is rounded to the nearest float32. */
    @Override
    public void run(LstmInput input, LstmOutput output) {
        output.check(engine.model(), input);
        RunReport report = engine.runs().begin();
        ReferenceOutput exact = runDouble(input, row -> NOBODY, output.hasY(), report);
        for (int k = 0; k < exact.y().length; k++) {
            output.y().put(k, (float) exact.y()[k]);
        }
        round(exact.h(), output.finalState().h());
        round(exact.c(), output.finalState().c());
        report.done(engine, input);
    }

    private static void round(double[] from, float[] to) {
        for (int k = 0; k < from.length; k++) {
            to[k] = (float) from[k];
        }
    }

    /** Runs a batch and returns the results as computed. */
    public ReferenceOutput runDouble(LstmInput input) {
        return runDouble(input, row -> NOBODY);
    }

    /**
     * Runs a batch and reports every step to a listener.
     *
     * @param listeners returns the listener of a row; called, like the listener, on the thread that computes the row
     * @throws io.github.cellfuse.InvalidInputException if the shapes don't fit the model
     */
    public ReferenceOutput runDouble(LstmInput input, IntFunction<StepListener> listeners) {
        return runDouble(input, listeners, true, RunReport.NONE);
    }

    private ReferenceOutput runDouble(
            LstmInput input, IntFunction<StepListener> listeners, boolean hasY, RunReport report) {
        input.check(engine.model());
        report.ready();
        ReferenceOutput output = ReferenceOutput.allocate(engine.model(), input, hasY);
        int[] lengths = input.lengths();
        guard.use(() -> engine.forEachRow(
                input.rows(), row -> runRow(new Row(input, row, lengths[row], output, listeners.apply(row))), report));
        return output;
    }

    /** One row of a run: its input and length, and the receivers of its results and steps. */
    private record Row(LstmInput input, int row, int length, ReferenceOutput output, StepListener listener) {}

    private void runRow(Row run) {
        LstmModel model = engine.model();
        double[][] sequence = features(run.input, run.row, run.length);
        for (int layer = 0; layer < model.layerCount(); layer++) {
            double[][] y = new double[run.length][model.layer(layer).outputSize()];
            for (int direction = 0; direction < model.layer(layer).directionCount(); direction++) {
                runDirection(layer, direction, sequence, y, run);
            }
            sequence = y;
        }
        // Past the row's length y stays zero.
        for (int time = 0; time < run.length && run.output.hasY(); time++) {
            int at = run.input.offset(run.row, time, model.outputSize());
            System.arraycopy(sequence[time], 0, run.output.y(), at, model.outputSize());
        }
    }

    private void runDirection(int layer, int direction, double[][] x, double[][] y, Row run) {
        LstmInput input = run.input;
        LstmLayer sizes = engine.model().layer(layer);
        LstmCell cell = engine.cell(layer, direction);
        // The row's states begin after the states of the layers below, of the other direction and of the rows before.
        int hidden = Math.toIntExact(engine.model().hiddenValuesBelow(layer) * input.rows()
                + ((long) direction * input.rows() + run.row) * sizes.stateSize());
        int cells = Math.toIntExact(engine.model().cellValuesBelow(layer) * input.rows()
                + ((long) direction * input.rows() + run.row) * sizes.hiddenSize());
        double[] h = part(input.initialState().map(LstmState::h), hidden, sizes.stateSize());
        double[] c = part(input.initialState().map(LstmState::c), cells, sizes.hiddenSize());
        for (int n = 0; n < x.length; n++) {
            // The reverse direction reads from the last valid step to the first; y keeps the original order.
            int time = sizes.direction().isReverse(direction) ? x.length - 1 - n : n;
            LstmCell.Step step = cell.step(x[time], h, c);
            run.listener.onStep(layer, direction, time, x[time], h, c, step);
            h = step.h();
            c = step.c();
            System.arraycopy(h, 0, y[time], direction * sizes.stateSize(), h.length);
        }
        System.arraycopy(h, 0, run.output.h(), hidden, h.length);
        System.arraycopy(c, 0, run.output.c(), cells, c.length);
    }

    /** Returns the valid steps of a row, {@code [length][I]}. */
    private static double[][] features(LstmInput input, int row, int length) {
        int width = input.x().limit() / input.rows() / input.steps();
        double[][] x = new double[length][width];
        for (int time = 0; time < length; time++) {
            for (int k = 0; k < width; k++) {
                x[time][k] = input.x().get(input.offset(row, time, width) + k);
            }
        }
        return x;
    }

    /** Returns {@code size} values, starting at {@code first}, as doubles; zeros if there are no states. */
    private static double[] part(Optional<float[]> states, int first, int size) {
        return states.map(values -> LstmCell.toDouble(Arrays.copyOfRange(values, first, first + size)))
                .orElseGet(() -> new double[size]);
    }

    @Override
    public void close() {
        guard.close(() -> {});
    }
}

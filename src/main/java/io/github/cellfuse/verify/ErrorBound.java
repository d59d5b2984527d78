package io.github.cellfuse.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.reference.LstmCell;
import io.github.cellfuse.reference.ReferenceOutput;
import io.github.cellfuse.reference.ReferenceSession;
import io.github.cellfuse.reference.StepListener;
import java.util.List;

/**
 * The results in double precision, and how far float32 may be from them. The error analysis runs together with the
 * reference.
 *
 * @param exact the results; the shapes of {@link io.github.cellfuse.LstmOutput}
 * @param y for each element of {@code exact.y()}
 * @param h for each element of {@code exact.h()}
 * @param c for each element of {@code exact.c()}
 */
record ErrorBound(ReferenceOutput exact, TensorErrors y, TensorErrors h, TensorErrors c) {

    /**
     * Runs {@code input} together with the error analysis for {@code arithmetic}: about three times the work of the run
     * alone.
     */
    static ErrorBound of(ReferenceSession session, LstmInput input, DeviceArithmetic arithmetic) {
        return of(session, input, arithmetic, (row, layer, direction, time, step, errors) -> {});
    }

    /** Judges what is inside the cells of a row, on the thread that computes the row. */
    interface StepJudge {
        void judge(int row, int layer, int direction, int time, LstmCell.Step step, StepErrors errors);
    }

    /** Does the same, and passes each step to {@code judge}. */
    static ErrorBound of(ReferenceSession session, LstmInput input, DeviceArithmetic arithmetic, StepJudge judge) {
        LstmModel model = session.engine().model();
        ReferenceOutput shape = ReferenceOutput.allocate(model, input);
        TensorErrors y = TensorErrors.none(shape.y().length),
                h = TensorErrors.none(shape.h().length),
                c = TensorErrors.none(shape.c().length);
        int[] lengths = input.lengths();
        Analysis analysis = new Analysis(
                model,
                model.layers().stream()
                        .map(layer -> layer.weights().stream()
                                .map(TransposedWeights::of)
                                .toList())
                        .toList(),
                arithmetic,
                input,
                new Errors(y, h, c),
                judge);
        ReferenceOutput exact = session.runDouble(input, row -> new RowAnalysis(analysis, row, lengths[row]));
        return new ErrorBound(exact, y, h, c);
    }

    /** The errors of all rows: y, h and c as in {@link ErrorBound}. */
    private record Errors(TensorErrors y, TensorErrors h, TensorErrors c) {}

    /** What the analyses of all rows share. */
    private record Analysis(
            LstmModel model,
            List<List<TransposedWeights>> weights,
            DeviceArithmetic arithmetic,
            LstmInput input,
            Errors errors,
            StepJudge judge) {}

    /** Carries the errors of one row from step to step and from layer to layer. */
    private static final class RowAnalysis implements StepListener {
        private final LstmModel model;
        private final Analysis analysis;
        private final LstmInput input;
        private final int row;
        private final Errors errors;
        private int layer = -1, direction;
        /** By time step: the errors of the layer's features and of its outputs. */
        private TensorErrors[] features, outputs;

        private CellError cell;
        /** Of the states before the next step. */
        private TensorErrors hidden, cells;

        RowAnalysis(Analysis analysis, int row, int length) {
            this.analysis = analysis;
            this.model = analysis.model;
            this.input = analysis.input;
            this.row = row;
            this.errors = analysis.errors;
            // The input is float32 and has no error.
            outputs = none(length, model.inputSize(), null);
        }

        @Override
        public void onStep(int layer, int direction, int time, double[] x, double[] h, double[] c, LstmCell.Step step) {
            if (layer != this.layer || direction != this.direction) {
                begin(layer, direction);
            }
            StepErrors states = cell.step(x, features[time], h, hidden, c, cells, step);
            hidden = states.h();
            cells = states.c();
            analysis.judge.judge(row, layer, direction, time, step, states);
            LstmLayer sizes = model.layer(layer);
            int width = sizes.stateSize();
            outputs[time].put(direction * width, states.h());
            if (layer == model.layerCount() - 1) {
                errors.y.put(input.offset(row, time, model.outputSize()) + direction * width, states.h());
            }
            // The errors of the last step remain.
            int place = direction * input.rows() + row;
            errors.h.put(below(model.hiddenValuesBelow(layer)) + place * width, states.h());
            errors.c.put(below(model.cellValuesBelow(layer)) + place * sizes.hiddenSize(), states.c());
        }

        /**
         * Returns where the states of a layer begin: after those of the layers below, which have {@code values} values
         * per row.
         */
        private int below(long values) {
            return Math.toIntExact(values * input.rows());
        }

        private void begin(int layer, int direction) {
            if (layer != this.layer) {
                features = outputs;
                outputs = none(
                        features.length, model.layer(layer).outputSize(), IdenticalUnits.outputs(model.layer(layer)));
            }
            this.layer = layer;
            this.direction = direction;
            cell = new CellError(analysis.weights.get(layer).get(direction), analysis.arithmetic);
            // The initial states are float32, too.
            hidden = TensorErrors.none(model.layer(layer).stateSize());
            cells = TensorErrors.none(model.layer(layer).hiddenSize());
        }

        private static TensorErrors[] none(int length, int width, int[] groups) {
            TensorErrors[] errors = new TensorErrors[length];
            for (int time = 0; time < length; time++) {
                errors[time] = TensorErrors.none(width, groups);
            }
            return errors;
        }
    }
}

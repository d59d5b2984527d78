package io.github.cellfuse.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.reference.LstmCell;
import io.github.cellfuse.reference.ReferenceOutput;
import io.github.cellfuse.reference.ReferenceSession;
import io.github.cellfuse.reference.StepListener;

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
        LstmModel model = session.engine().model();
        ReferenceOutput shape = ReferenceOutput.allocate(model, input);
        TensorErrors y = TensorErrors.none(shape.y().length),
                h = TensorErrors.none(shape.h().length),
                c = TensorErrors.none(shape.c().length);
        int[] lengths = input.lengths();
        Errors errors = new Errors(y, h, c);
        ReferenceOutput exact =
                session.runDouble(input, row -> new RowAnalysis(model, arithmetic, input, row, lengths[row], errors));
        return new ErrorBound(exact, y, h, c);
    }

    /** The errors of all rows: y, h and c as in {@link ErrorBound}. */
    private record Errors(TensorErrors y, TensorErrors h, TensorErrors c) {}

    /** Carries the errors of one row from step to step and from layer to layer. */
    private static final class RowAnalysis implements StepListener {
        private final LstmModel model;
        private final DeviceArithmetic arithmetic;
        private final LstmInput input;
        private final int row;
        private final Errors errors;
        private int layer = -1, direction;
        /** By time step: the errors of the layer's features and of its outputs. */
        private TensorErrors[] features, outputs;

        private CellError cell;
        private CellError.States states;

        RowAnalysis(LstmModel model, DeviceArithmetic arithmetic, LstmInput input, int row, int length, Errors errors) {
            this.model = model;
            this.arithmetic = arithmetic;
            this.input = input;
            this.row = row;
            this.errors = errors;
            // The input is float32 and has no error.
            outputs = none(length, model.inputSize(), null);
        }

        @Override
        public void onStep(int layer, int direction, int time, double[] x, double[] h, double[] c, LstmCell.Step step) {
            if (layer != this.layer || direction != this.direction) {
                begin(layer, direction);
            }
            states = cell.step(x, features[time], h, states.h(), c, states.c(), step);
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
            cell = new CellError(new LstmCell(model.weights(layer, direction)), arithmetic);
            // The initial states are float32, too.
            states = new CellError.States(
                    TensorErrors.none(model.layer(layer).stateSize()),
                    TensorErrors.none(model.layer(layer).hiddenSize()));
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

package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.NpyArray;
import java.util.Arrays;

/**
 * The shapes of a run's arrays, all following from the model and the input's shape, as {@code torch.nn.LSTM} has them. A single
 * sequence {@code [T,I]} without a batch dimension has none in the other arrays either.
 *
 * @param layout the order of the outer dimensions; without meaning for a single sequence
 * @param isBatched whether the arrays have a batch dimension
 * @param rows {@code N}
 * @param steps {@code T}
 */
record RunShape(LstmModel model, Layout layout, boolean isBatched, long rows, int steps) {

    /** Reads the shape of {@code x}, and refuses one that doesn't fit. */
    static RunShape of(LstmModel model, LayoutOption layoutOption, NpyArray x) {
        long[] shape = x.shape();
        int features = model.inputSize();
        String expected = layoutOption.shape(features) + ", or [T, " + features + "] for a single sequence";
        if (shape.length < 2 || shape.length > 3) {
            throw new InvalidInputException(
                    x.name() + ": input shape: expected " + expected + ", found " + Arrays.toString(shape));
        }
        if (shape[shape.length - 1] != features) {
            throw new InvalidInputException(x.name() + ": input features: expected " + features
                    + " as the model has, found " + shape[shape.length - 1] + " in shape " + Arrays.toString(shape));
        }
        boolean isBatched = shape.length == 3;
        Layout layout = isBatched ? layoutOption.layout() : Layout.BATCH_MAJOR;
        int timeAxis = isBatched && layout == Layout.BATCH_MAJOR ? 1 : 0;
        long rows = isBatched ? shape[1 - timeAxis] : 1;
        long steps = shape[timeAxis];
        if (rows < 1 || steps < 1 || steps > Integer.MAX_VALUE - 2) {
            throw new InvalidInputException(x.name() + ": input shape: expected " + expected
                    + " with at least 1 row and 1 to 2147483645 steps, found " + Arrays.toString(shape));
        }
        return new RunShape(model, layout, isBatched, rows, (int) steps);
    }

    /** Where rows lie in the input. */
    RowBlocks inputBlocks() {
        return sequence(model.inputSize());
    }

    /** Where rows lie in the output y. */
    RowBlocks outputBlocks() {
        return sequence(model.outputSize());
    }

    /** Where rows lie in hidden states {@code [L*D,N,P]}. */
    RowBlocks hiddenBlocks() {
        return new RowBlocks(stateCount(), rows, model.stateSize());
    }

    /** Where rows lie in cell states {@code [L*D,N,H]}. */
    RowBlocks cellBlocks() {
        return new RowBlocks(stateCount(), rows, model.hiddenSize());
    }

    private RowBlocks sequence(int features) {
        return layout == Layout.BATCH_MAJOR
                ? new RowBlocks(1, rows, (long) steps * features)
                : new RowBlocks(steps, rows, features);
    }

    /** The shape of the output y. */
    long[] output() {
        if (!isBatched) {
            return new long[] {steps, model.outputSize()};
        }
        return layout == Layout.BATCH_MAJOR
                ? new long[] {rows, steps, model.outputSize()}
                : new long[] {steps, rows, model.outputSize()};
    }

    /** The shape of hidden states. */
    long[] hidden() {
        return state(model.stateSize());
    }

    /** The shape of cell states. */
    long[] cell() {
        return state(model.hiddenSize());
    }

    private long[] state(int width) {
        return isBatched ? new long[] {stateCount(), rows, width} : new long[] {stateCount(), width};
    }

    private int stateCount() {
        return model.layerCount() * model.directionCount();
    }
}

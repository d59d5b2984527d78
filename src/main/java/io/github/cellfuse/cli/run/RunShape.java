package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.format.file.ArraySource;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * The shapes of a run's arrays, which follow from the model and the shape of the input, as in {@code torch.nn.LSTM}. If
 * the input is a single sequence {@code [T,I]} without a batch dimension, the other arrays don't have one either.
 *
 * @param layout the order of the outer dimensions; irrelevant for a single sequence
 * @param isBatched whether the arrays have a batch dimension
 * @param rows {@code N}; may be 0
 * @param steps {@code T}
 */
public record RunShape(LstmModel model, Layout layout, boolean isBatched, long rows, int steps) {

    /** Returns the shapes for {@code x}, and rejects an {@code x} that doesn't fit the model. */
    public static RunShape of(LstmModel model, LayoutOption layoutOption, ArraySource x) {
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
        if (rows < 0 || steps < 1 || steps > Integer.MAX_VALUE - 2) {
            throw new InvalidInputException(x.name() + ": input shape: expected " + expected
                    + " with 1 to 2147483645 steps, found " + Arrays.toString(shape));
        }
        return new RunShape(model, layout, isBatched, rows, (int) steps);
    }

    /** Returns the positions of rows in the input. */
    RowBlocks inputBlocks() {
        return sequence(model.inputSize());
    }

    /** Returns the positions of rows in the output y. */
    RowBlocks outputBlocks() {
        return sequence(model.outputSize());
    }

    /**
     * An array of states.
     *
     * @param suffix the end of the array's name: empty if one array holds all layers, else {@code _l0} and so on
     * @param states the number of states per row, one for each layer and direction
     * @param width the number of values per state
     * @param below the number of values per row that precede this array in {@link io.github.cellfuse.LstmState}
     */
    record States(String suffix, int states, int width, long below) {
        /** Returns the positions of {@code rows} rows in the array. */
        RowBlocks blocks(long rows) {
            return new RowBlocks(states, rows, width);
        }

        /** Returns the part of {@code all}, the states of {@code rows} rows, that belongs in this array. */
        FloatBuffer part(float[] all, int rows) {
            return FloatBuffer.wrap(all)
                    .slice(Math.toIntExact(below * rows), Math.toIntExact((long) states * rows * width));
        }
    }

    /**
     * Returns the arrays of hidden states: {@code [L*D,N,P]} if all layers are alike, else {@code [D,N,P]} for each
     * layer.
     */
    List<States> hidden() {
        return states(LstmLayer::stateSize, model::hiddenValuesBelow);
    }

    /**
     * Returns the arrays of cell states: {@code [L*D,N,H]} if all layers are alike, else {@code [D,N,H]} for each
     * layer.
     */
    List<States> cell() {
        return states(LstmLayer::hiddenSize, model::cellValuesBelow);
    }

    private List<States> states(ToIntFunction<LstmLayer> width, IntToLongFunction below) {
        if (model.isUniform()) {
            LstmLayer any = model.last();
            return List.of(new States("", model.layerCount() * any.directionCount(), width.applyAsInt(any), 0));
        }
        return IntStream.range(0, model.layerCount())
                .mapToObj(layer -> new States(
                        "_l" + layer,
                        model.layer(layer).directionCount(),
                        width.applyAsInt(model.layer(layer)),
                        below.applyAsLong(layer)))
                .toList();
    }

    private RowBlocks sequence(int features) {
        return layout == Layout.BATCH_MAJOR
                ? new RowBlocks(1, rows, (long) steps * features)
                : new RowBlocks(steps, rows, features);
    }

    /** Returns the shape of the output y. */
    long[] output() {
        if (!isBatched) {
            return new long[] {steps, model.outputSize()};
        }
        return layout == Layout.BATCH_MAJOR
                ? new long[] {rows, steps, model.outputSize()}
                : new long[] {steps, rows, model.outputSize()};
    }

    /** Returns the shape of the output of one step: {@code [N,D*P]}. */
    long[] lastOutput() {
        return isBatched ? new long[] {rows, model.outputSize()} : new long[] {model.outputSize()};
    }

    /** Returns the positions of rows in the output of one step. */
    RowBlocks lastOutputBlocks() {
        return new RowBlocks(1, rows, model.outputSize());
    }

    /** Returns the shape of an array of states. */
    long[] shape(States array) {
        return isBatched
                ? new long[] {array.states(), rows, array.width()}
                : new long[] {array.states(), array.width()};
    }
}

package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * The shapes of a run's arrays, all following from the model and the input's shape, as {@code torch.nn.LSTM} has them. A single
 * sequence {@code [T,I]} without a batch dimension has none in the other arrays either.
 *
 * @param layout the order of the outer dimensions; without meaning for a single sequence
 * @param isBatched whether the arrays have a batch dimension
 * @param rows {@code N}
 * @param steps {@code T}
 */
public record RunShape(LstmModel model, Layout layout, boolean isBatched, long rows, int steps) {

    /** Reads the shape of {@code x}, and refuses one that doesn't fit. */
    public static RunShape of(LstmModel model, LayoutOption layoutOption, NpyArray x) {
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

    /**
     * An array of states.
     *
     * @param suffix what its name ends with: nothing where all layers are in one array, else {@code _l0} and so on
     * @param states states of a row in it, one a layer and direction
     * @param width values of each
     * @param below values of a row's states that stand before it in {@link io.github.cellfuse.LstmState}
     */
    record States(String suffix, int states, int width, long below) {
        /** Where {@code rows} rows lie in it. */
        RowBlocks blocks(long rows) {
            return new RowBlocks(states, rows, width);
        }

        /** The part of {@code all} that belongs into it, of a state of {@code rows} rows. */
        FloatBuffer part(float[] all, int rows) {
            return FloatBuffer.wrap(all)
                    .slice(Math.toIntExact(below * rows), Math.toIntExact((long) states * rows * width));
        }
    }

    /** The arrays of hidden states: {@code [L*D,N,P]} where all layers are alike, else {@code [D,N,P]} of each. */
    List<States> hidden() {
        return states(LstmLayer::stateSize, model::hiddenValuesBelow);
    }

    /** The arrays of cell states: {@code [L*D,N,H]} where all layers are alike, else {@code [D,N,H]} of each. */
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

    /** The shape of the output y. */
    long[] output() {
        if (!isBatched) {
            return new long[] {steps, model.outputSize()};
        }
        return layout == Layout.BATCH_MAJOR
                ? new long[] {rows, steps, model.outputSize()}
                : new long[] {steps, rows, model.outputSize()};
    }

    /** The shape of an array of states. */
    long[] shape(States array) {
        return isBatched
                ? new long[] {array.states(), rows, array.width()}
                : new long[] {array.states(), array.width()};
    }
}

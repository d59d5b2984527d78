package io.github.cellfuse;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/** Parts and rearrangements of batches, written without regard to speed. */
public final class Batches {
    private Batches() {}

    /** The chosen rows of a batch, as a batch. */
    public static LstmInput rows(LstmModel model, LstmInput input, int... rows) {
        int width = model.inputSize();
        FloatBuffer x = FloatBuffer.allocate(rows.length * input.steps() * width);
        LstmInput part = LstmInput.of(input.layout(), x, rows.length, input.steps());
        for (int r = 0; r < rows.length; r++) {
            for (int t = 0; t < input.steps(); t++) {
                x.put(part.offset(r, t, width), input.x(), input.offset(rows[r], t, width), width);
            }
        }
        int[] lengths = Arrays.stream(rows).map(row -> input.lengths()[row]).toArray();
        return withStates(part.withLengths(lengths), input.initialState().map(state -> rows(model, state, rows)));
    }

    private static LstmInput withStates(LstmInput input, Optional<LstmState> states) {
        return states.map(input::withInitialState).orElse(input);
    }

    /** The chosen rows of a result. */
    public static LstmOutput rows(LstmModel model, LstmOutput output, int... rows) {
        int width = model.outputSize(), steps = output.steps();
        LstmInput from = shape(output.layout(), output.rows(), steps), to = shape(output.layout(), rows.length, steps);
        FloatBuffer y = FloatBuffer.allocate(rows.length * steps * width);
        for (int r = 0; r < rows.length; r++) {
            for (int t = 0; t < steps; t++) {
                y.put(to.offset(r, t, width), output.y(), from.offset(rows[r], t, width), width);
            }
        }
        return new LstmOutput(output.layout(), rows.length, steps, y, rows(model, output.finalState(), rows));
    }

    /** The chosen rows of a state. */
    public static LstmState rows(LstmModel model, LstmState state, int... rows) {
        return new LstmState(
                rows.length,
                rows(state.h(), model.hiddenWidths(), state.rows(), rows),
                rows(state.c(), model.cellWidths(), state.rows(), rows));
    }

    private static float[] rows(float[] values, int[] widths, int allRows, int[] rows) {
        float[] part = new float[values.length / allRows * rows.length];
        int from = 0, to = 0;
        for (int width : widths) {
            for (int r = 0; r < rows.length; r++) {
                System.arraycopy(values, from + rows[r] * width, part, to + r * width, width);
            }
            from += allRows * width;
            to += rows.length * width;
        }
        return part;
    }

    /** The same batch in the other layout. */
    public static LstmInput otherLayout(LstmModel model, LstmInput input) {
        Layout other = other(input.layout());
        FloatBuffer x = transpose(input.x(), input.layout(), input.rows(), input.steps(), model.inputSize());
        return withStates(
                LstmInput.of(other, x, input.rows(), input.steps()).withLengths(input.lengths()), input.initialState());
    }

    /** The same result in the other layout. */
    public static LstmOutput otherLayout(LstmModel model, LstmOutput output) {
        FloatBuffer y = transpose(output.y(), output.layout(), output.rows(), output.steps(), model.outputSize());
        return new LstmOutput(other(output.layout()), output.rows(), output.steps(), y, output.finalState());
    }

    private static Layout other(Layout layout) {
        return layout == Layout.BATCH_MAJOR ? Layout.TIME_MAJOR : Layout.BATCH_MAJOR;
    }

    private static FloatBuffer transpose(FloatBuffer values, Layout layout, int rows, int steps, int width) {
        LstmInput from = shape(layout, rows, steps), to = shape(other(layout), rows, steps);
        FloatBuffer result = FloatBuffer.allocate(rows * steps * width);
        for (int row = 0; row < rows; row++) {
            for (int t = 0; t < steps; t++) {
                result.put(to.offset(row, t, width), values, from.offset(row, t, width), width);
            }
        }
        return result;
    }

    private static LstmInput shape(Layout layout, int rows, int steps) {
        return LstmInput.of(layout, FloatBuffer.allocate(0), rows, steps);
    }
}

package io.github.cellfuse.batch;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * A row that a device has computed: a copy of what went in and of what came out, to be computed again. Rows don't
 * depend on each other, so one of them costs a small part of its chunk.
 */
final class RowCheck {
    private final LstmModel model;
    private final long row;
    private final LstmInput input;
    private final LstmOutput found;
    /** Whether all steps of the row are there, and so its final states can be compared. */
    private final boolean isWhole;

    private RowCheck(LstmModel model, long row, LstmInput input, LstmOutput found, boolean isWhole) {
        this.model = model;
        this.row = row;
        this.input = input;
        this.found = found;
        this.isWhole = isWhole;
    }

    /**
     * Copies a row of a chunk.
     *
     * @param number the row's number in the batch
     * @param row its number in the chunk
     * @param steps how many steps to compute again: fewer than {@code T} need y, and layers that only go forward
     */
    static RowCheck copy(LstmModel model, long number, int row, int steps, LstmInput from, LstmOutput results) {
        LstmInput input = LstmInput.batchMajor(
                        steps(from, from.x(), row, steps, model.inputSize()).array(), 1, steps)
                .withLengths(Math.min(steps, from.lengths()[row]));
        LstmInput started = from.initialState()
                .map(state -> input.withInitialState(row(model, state, row)))
                .orElse(input);
        LstmState last = row(model, results.finalState(), row);
        LstmOutput found = results.hasY()
                ? new LstmOutput(
                        started.layout(), 1, steps, steps(from, results.y(), row, steps, model.outputSize()), last)
                : LstmOutput.statesOnly(started.layout(), 1, steps, last);
        return new RowCheck(model, number, started, found, steps == from.steps());
    }

    /** Copies the first steps of a row of a tensor with the layout of {@code batch}. */
    private static FloatBuffer steps(LstmInput batch, FloatBuffer tensor, int row, int steps, int width) {
        float[] values = new float[steps * width];
        for (int step = 0; step < steps; step++) {
            tensor.get(batch.offset(row, step, width), values, step * width, width);
        }
        return FloatBuffer.wrap(values);
    }

    private static LstmState row(LstmModel model, LstmState states, int row) {
        LstmState one = LstmState.zeros(model, 1);
        StateRows.copy(model, states, row, one, 0, 1);
        return one;
    }

    LstmModel model() {
        return model;
    }

    /** Returns the row's number in the batch. */
    long row() {
        return row;
    }

    /** Returns the floating-point operations that computing it takes. */
    long flops() {
        return input.lengths()[0] * model.flopsPerStep();
    }

    /** Computes the row in {@code session} and returns the first value that differs, in words; empty if none does. */
    Optional<String> difference(LstmSession session) {
        LstmOutput expected = found.hasY() ? LstmOutput.allocate(model, input) : LstmOutput.statesOnly(model, input);
        session.run(input, expected);
        for (int k = 0; k < expected.y().limit(); k++) {
            if (differ(expected.y().get(k), found.y().get(k))) {
                int width = model.outputSize();
                return Optional.of(words(
                        "y at step " + k / width + ", unit " + k % width,
                        expected.y().get(k),
                        found.y().get(k)));
            }
        }
        return isWhole
                ? difference(
                                "h_n",
                                expected.finalState().h(),
                                found.finalState().h(),
                                model.hiddenWidths())
                        .or(() -> difference(
                                "c_n",
                                expected.finalState().c(),
                                found.finalState().c(),
                                model.cellWidths()))
                : Optional.empty();
    }

    private static Optional<String> difference(String name, float[] expected, float[] found, int[] widths) {
        int at = 0;
        for (int state = 0; state < widths.length; state++) {
            for (int unit = 0; unit < widths[state]; unit++, at++) {
                if (differ(expected[at], found[at])) {
                    return Optional.of(words(name + " at state " + state + ", unit " + unit, expected[at], found[at]));
                }
            }
        }
        return Optional.empty();
    }

    /** The sink gets one NaN for all, so they are the same here, too. */
    private static boolean differ(float a, float b) {
        return Float.floatToIntBits(a) != Float.floatToIntBits(b);
    }

    private static String words(String where, float expected, float found) {
        return String.format(
                "%s: expected %s (0x%08x), found %s (0x%08x)",
                where, expected, Float.floatToRawIntBits(expected), found, Float.floatToRawIntBits(found));
    }
}

package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;

/**
 * The result of a run, or the memory for it: a session writes into {@code y} and into the arrays of {@code finalState}.
 * An output of {@linkplain #statesOnly(LstmModel, LstmInput) states only} has no y: nothing of it leaves the device.
 * Don't compare outputs with {@code equals}, which compares arrays by identity.
 *
 * @param layout the layout of the input
 * @param rows {@code N}
 * @param steps {@code T}
 * @param y the hidden states of the last layer, {@code [N,T,D·P]} or {@code [T,N,D·P]} by {@code layout}, from index 0
 *     to the limit. Any byte order; the position doesn't matter and doesn't change. Zeros past the length of a row.
 *     Empty if there is no y.
 * @param finalState the states after the last valid step of each row; for the reverse direction, after its first step
 */
public record LstmOutput(Layout layout, int rows, int steps, FloatBuffer y, LstmState finalState) {

    /**
     * The y of outputs that have none. Only this buffer says so: another empty one is a mistake of the caller, and
     * refused.
     */
    private static final FloatBuffer NO_Y = FloatBuffer.allocate(0);

    /** Returns a new output, on the heap, of the right size for {@code input} on {@code model}. */
    public static LstmOutput allocate(LstmModel model, LstmInput input) {
        int size = Sizes.elements("output [N,T,D*P]", input.rows(), input.steps(), model.outputSize());
        return new LstmOutput(
                input.layout(),
                input.rows(),
                input.steps(),
                FloatBuffer.allocate(size),
                LstmState.zeros(model, input.rows()));
    }

    /**
     * Returns a new output without y, for {@code input} on {@code model}: a run writes the final states only, which
     * have the same bits as with y. It saves the memory of y, and the time to copy it from the device.
     */
    public static LstmOutput statesOnly(LstmModel model, LstmInput input) {
        return statesOnly(input.layout(), input.rows(), input.steps(), LstmState.zeros(model, input.rows()));
    }

    /** Returns an output without y. A run writes into the arrays of {@code finalState} only. */
    public static LstmOutput statesOnly(Layout layout, int rows, int steps, LstmState finalState) {
        return new LstmOutput(layout, rows, steps, NO_Y, finalState);
    }

    /** Returns whether a run writes y; if not, {@code y} is empty. */
    public boolean hasY() {
        return y != NO_Y;
    }

    /**
     * Checks that this output can take the result of {@code input} on {@code model}.
     *
     * @throws InvalidInputException if its layout, sizes or buffers don't fit
     */
    public void check(LstmModel model, LstmInput input) {
        if (layout != input.layout() || rows != input.rows() || steps != input.steps()) {
            throw new InvalidInputException("output: expected " + input.layout() + " " + input.rows() + " rows x "
                    + input.steps() + " steps, found " + layout + " " + rows + " x " + steps);
        }
        if (hasY()) {
            checkOutputs(model, input, y);
        }
        finalState.check(model, rows);
    }

    /** Checks that {@code y} can take the outputs of {@code input} on {@code model}. */
    static void checkOutputs(LstmModel model, LstmInput input, FloatBuffer y) {
        int expected = Sizes.elements("output [N,T,D*P]", input.rows(), input.steps(), model.outputSize());
        if (y.limit() != expected || y.isReadOnly()) {
            throw new InvalidInputException("output: expected a writable buffer of " + expected + " values, found "
                    + (y.isReadOnly() ? "a read-only one of " : "") + y.limit());
        }
    }
}

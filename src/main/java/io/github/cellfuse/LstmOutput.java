package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;

/**
 * What a run gives, or where it shall go: a session writes into {@code y} and the arrays of {@code finalState}. Not to be compared by
 * {@code equals}: the states' arrays are equal only when they are the same ones.
 *
 * @param layout the input's layout
 * @param rows {@code N}
 * @param steps {@code T}
 * @param y the last layer's hidden states, {@code [T,N,D·P]} or {@code [N,T,D·P]} by {@code layout}, from index 0 to the limit, of
 *     any byte order; the position doesn't matter and isn't moved; zeros past a row's length
 * @param finalState the states after each row's last valid step (for the reverse direction: after its first step)
 */
public record LstmOutput(Layout layout, int rows, int steps, FloatBuffer y, LstmState finalState) {

    /** An output of the right size for {@code input} on {@code model}, on the heap. */
    public static LstmOutput allocate(LstmModel model, LstmInput input) {
        int size = Sizes.elements("output [N,T,D*P]", input.rows(), input.steps(), model.outputSize());
        return new LstmOutput(
                input.layout(),
                input.rows(),
                input.steps(),
                FloatBuffer.allocate(size),
                LstmState.zeros(model, input.rows()));
    }

    /** Refuses an output that can't take the result of {@code input} on {@code model}. */
    public void check(LstmModel model, LstmInput input) {
        if (layout != input.layout() || rows != input.rows() || steps != input.steps()) {
            throw new InvalidInputException("output: expected " + input.layout() + " " + input.rows() + " rows x "
                    + input.steps() + " steps, found " + layout + " " + rows + " x " + steps);
        }
        checkOutputs(model, input, y);
        finalState.check(model, rows);
    }

    /** Refuses a y that can't take the outputs of {@code input} on {@code model}. */
    static void checkOutputs(LstmModel model, LstmInput input, FloatBuffer y) {
        int expected = Sizes.elements("output [N,T,D*P]", input.rows(), input.steps(), model.outputSize());
        if (y.limit() != expected || y.isReadOnly()) {
            throw new InvalidInputException("output: expected a writable buffer of " + expected + " values, found "
                    + (y.isReadOnly() ? "a read-only one of " : "") + y.limit());
        }
    }
}

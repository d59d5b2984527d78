package io.github.cellfuse;

import java.util.Objects;

/**
 * The states of a batch between two time steps, in PyTorch's shapes. The arrays are taken over, not copied. Two states
 * are {@code equal} only when they share their arrays; compare the arrays.
 *
 * @param rows {@code N}
 * @param h hidden states {@code [L·D,N,P]}
 * @param c cell states {@code [L·D,N,H]}
 */
public record LstmState(int rows, float[] h, float[] c) {
    public LstmState {
        Objects.requireNonNull(h, "h");
        Objects.requireNonNull(c, "c");
    }

    /** States of zeros for {@code rows} rows of {@code model}. */
    public static LstmState zeros(LstmModel model, int rows) {
        return new LstmState(
                rows,
                new float[size("h", model, rows, model.stateSize())],
                new float[size("c", model, rows, model.hiddenSize())]);
    }

    /** Refuses a state that doesn't have the shape that {@code model} needs for {@code rows} rows. */
    public void check(LstmModel model, int rows) {
        if (this.rows != rows) {
            throw new InvalidInputException("initial state: expected " + rows + " rows, found " + this.rows);
        }
        check("initial h [L*D,N,P]", size("h", model, rows, model.stateSize()), h.length);
        check("initial c [L*D,N,H]", size("c", model, rows, model.hiddenSize()), c.length);
    }

    private static void check(String what, int expected, int found) {
        if (expected != found) {
            throw new InvalidInputException(what + ": expected " + expected + " values, found " + found);
        }
    }

    private static int size(String what, LstmModel model, int rows, int width) {
        return Sizes.elements(
                what + " [L*D,N," + width + "]", (long) model.layerCount() * model.directionCount(), rows, width);
    }
}

package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.util.Objects;

/**
 * The states of a batch between two time steps: one matrix of {@code N} rows for each layer, the lowest first, and each
 * of its directions. In a {@linkplain LstmModel#isUniform() uniform} model these are PyTorch's shapes. The arrays are
 * shared with the caller, not copied. {@code equals} compares arrays by identity; compare their contents instead.
 *
 * @param rows {@code N}
 * @param h hidden states, {@code [N,P]} each: {@code [L·D,N,P]} in a uniform model
 * @param c cell states, {@code [N,H]} each: {@code [L·D,N,H]} in a uniform model
 */
public record LstmState(int rows, float[] h, float[] c) {
    public LstmState {
        Objects.requireNonNull(h, "h");
        Objects.requireNonNull(c, "c");
    }

    /** Returns states of zeros for {@code rows} rows of {@code model}. */
    public static LstmState zeros(LstmModel model, int rows) {
        return new LstmState(rows, new float[hiddenSize(model, rows)], new float[cellSize(model, rows)]);
    }

    /**
     * Checks that this state has the shape that {@code model} needs for {@code rows} rows.
     *
     * @throws InvalidInputException if it doesn't
     */
    public void check(LstmModel model, int rows) {
        if (this.rows != rows) {
            throw new InvalidInputException("initial state: expected " + rows + " rows, found " + this.rows);
        }
        check("initial h [L*D,N,P]", hiddenSize(model, rows), h.length);
        check("initial c [L*D,N,H]", cellSize(model, rows), c.length);
    }

    private static void check(String what, int expected, int found) {
        if (expected != found) {
            throw new InvalidInputException(what + ": expected " + expected + " values, found " + found);
        }
    }

    private static int hiddenSize(LstmModel model, int rows) {
        return Sizes.elements("h [L*D,N,P]", rows, model.hiddenValuesBelow(model.layerCount()));
    }

    private static int cellSize(LstmModel model, int rows) {
        return Sizes.elements("c [L*D,N,H]", rows, model.cellValuesBelow(model.layerCount()));
    }
}

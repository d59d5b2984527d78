package io.github.cellfuse.reference;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.spi.Sizes;

/**
 * The result of a run in double precision, with the shapes of {@link io.github.cellfuse.LstmOutput}.
 *
 * @param y the hidden states of the last layer, {@code [N,T,D·P]} or {@code [T,N,D·P]} by the layout of the input;
 *     zeros past the length of a row. Empty if only the states are computed
 * @param h final hidden states {@code [L·D,N,P]}, in the order of {@link io.github.cellfuse.LstmState}
 * @param c final cell states {@code [L·D,N,H]}
 */
public record ReferenceOutput(double[] y, double[] h, double[] c) {

    /** Returns an output of zeros of the right size for {@code input} on {@code model}. */
    public static ReferenceOutput allocate(LstmModel model, LstmInput input) {
        return allocate(model, input, true);
    }

    /** Returns an output of zeros, without y unless {@code hasY}. */
    static ReferenceOutput allocate(LstmModel model, LstmInput input, boolean hasY) {
        int y = Sizes.elements("output [N,T,D*P]", input.rows(), input.steps(), model.outputSize());
        return new ReferenceOutput(
                new double[hasY ? y : 0],
                new double[Sizes.elements("h [L*D,N,P]", input.rows(), model.hiddenValuesBelow(model.layerCount()))],
                new double[Sizes.elements("c [L*D,N,H]", input.rows(), model.cellValuesBelow(model.layerCount()))]);
    }

    boolean hasY() {
        return y.length > 0;
    }
}

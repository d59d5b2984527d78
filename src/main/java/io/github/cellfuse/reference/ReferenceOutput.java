package io.github.cellfuse.reference;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.spi.Sizes;

/**
 * What a run gives, in double precision; the shapes of {@link io.github.cellfuse.LstmOutput}.
 *
 * @param y the last layer's hidden states, {@code [T,N,D·P]} or {@code [N,T,D·P]} by the input's layout; zeros past a row's length
 * @param h final hidden states {@code [L·D,N,P]}, as {@link io.github.cellfuse.LstmState} has them
 * @param c final cell states {@code [L·D,N,H]}
 */
public record ReferenceOutput(double[] y, double[] h, double[] c) {

    /** An output of zeros of the right size for {@code input} on {@code model}. */
    public static ReferenceOutput allocate(LstmModel model, LstmInput input) {
        return new ReferenceOutput(
                new double[Sizes.elements("output [N,T,D*P]", input.rows(), input.steps(), model.outputSize())],
                new double[Sizes.elements("h [L*D,N,P]", input.rows(), model.hiddenValuesBelow(model.layerCount()))],
                new double[Sizes.elements("c [L*D,N,H]", input.rows(), model.cellValuesBelow(model.layerCount()))]);
    }
}

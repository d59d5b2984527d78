package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;

/**
 * What the choice of a plan depends on in a model: the sizes of one direction of a layer.
 *
 * @param inputs {@code I}
 * @param recurrent the hidden states that a step reads: {@code H}, or {@code P} with a projection
 * @param units {@code H}
 */
record LayerSize(int inputs, int recurrent, int units) {
    /** The top layer's: the others are as large, but for the first. */
    static LayerSize of(LstmModel model) {
        LstmWeights last = model.weights(model.layerCount() - 1, 0);
        return new LayerSize(last.inputSize(), last.outputSize(), last.hiddenSize());
    }

    /** Bytes of the weights. */
    long weightBytes() {
        return 4L * units * ((long) inputs + recurrent) * Float.BYTES;
    }
}

package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;

/**
 * What the choice of a plan depends on in a model: the sizes of a layer.
 *
 * @param inputs {@code I}
 * @param recurrent the hidden states that a step reads: {@code H}, or {@code P} with a projection
 * @param units {@code H}
 * @param directions 1, or 2 when bidirectional
 */
record LayerSize(int inputs, int recurrent, int units, int directions) {
    /** The top layer's: the others are as large, but for the first. */
    static LayerSize of(LstmModel model) {
        LstmWeights last = model.weights(model.layerCount() - 1, 0);
        return new LayerSize(last.inputSize(), last.outputSize(), last.hiddenSize(), model.directionCount());
    }

    /** Bytes of a direction's weights, of which the input's don't count when {@code hoisted}. */
    long weightBytes(boolean hoisted) {
        return 4L * units * ((hoisted ? 0L : inputs) + recurrent) * Float.BYTES;
    }
}

package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.WeightPrecision;

/**
 * What the choice of a plan depends on in a model: the sizes of a layer, and of its weights.
 *
 * @param inputs {@code I}
 * @param recurrent the hidden states that a step reads: {@code H}, or {@code P} with a projection
 * @param units {@code H}
 * @param directions 1, or 2 when bidirectional
 * @param weights how they are stored
 */
record LayerSize(int inputs, int recurrent, int units, int directions, WeightPrecision weights) {
    /** With weights in float32. */
    LayerSize(int inputs, int recurrent, int units, int directions) {
        this(inputs, recurrent, units, directions, WeightPrecision.F32);
    }

    /** The top layer's, with weights in float32. */
    static LayerSize of(LstmModel model) {
        return of(model, WeightPrecision.F32);
    }

    /** The top layer's: the others are as large, but for the first. */
    static LayerSize of(LstmModel model, WeightPrecision weights) {
        LstmWeights last = model.weights(model.layerCount() - 1, 0);
        return new LayerSize(last.inputSize(), last.outputSize(), last.hiddenSize(), model.directionCount(), weights);
    }

    /** Bytes of a direction's weights, of which the input's don't count when {@code hoisted}. */
    long weightBytes(boolean hoisted) {
        return 4L * units * ((hoisted ? 0L : inputs) + recurrent) * weights.bytes();
    }
}

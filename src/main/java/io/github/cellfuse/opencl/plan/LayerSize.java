package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import java.util.function.ToIntFunction;

/**
 * The sizes of a layer and of its weights: all that the choice of a plan depends on in a model.
 *
 * @param inputs {@code I}
 * @param recurrent hidden states that a step reads: {@code H}, or {@code P} with a projection
 * @param units {@code H}
 * @param directions 1, or 2 when bidirectional
 * @param weights how the weights are stored
 * @param projected whether a step's hidden states go through a projection
 */
public record LayerSize(
        int inputs, int recurrent, int units, int directions, WeightPrecision weights, boolean projected) {
    /** Creates a size with a projection where {@code recurrent} and {@code units} differ. */
    public LayerSize(int inputs, int recurrent, int units, int directions, WeightPrecision weights) {
        this(inputs, recurrent, units, directions, weights, recurrent != units);
    }

    /** Creates a size with weights in float32. */
    public LayerSize(int inputs, int recurrent, int units, int directions) {
        this(inputs, recurrent, units, directions, WeightPrecision.F32);
    }

    /** Returns the size of {@code model} with weights in float32. */
    public static LayerSize of(LstmModel model) {
        return of(model, WeightPrecision.F32);
    }

    /**
     * Returns the size of the top layer; in a uniform model, only the first layer differs from it. Where layers differ,
     * returns the maximum of each size, so that what fits the result fits every layer.
     */
    public static LayerSize of(LstmModel model, WeightPrecision weights) {
        LstmLayer last = model.last();
        boolean projected = model.layers().stream().anyMatch(LstmLayer::hasProjection);
        if (model.isUniform()) {
            return new LayerSize(
                    last.inputSize(), last.stateSize(), last.hiddenSize(), last.directionCount(), weights, projected);
        }
        return new LayerSize(
                most(model, LstmLayer::inputSize),
                most(model, LstmLayer::stateSize),
                most(model, LstmLayer::hiddenSize),
                most(model, LstmLayer::directionCount),
                weights,
                projected);
    }

    private static int most(LstmModel model, ToIntFunction<LstmLayer> size) {
        return model.layers().stream().mapToInt(size).max().orElseThrow();
    }

    /** Returns the bytes of one direction's weights, without those of the input when {@code hoisted}. */
    public long weightBytes(boolean hoisted) {
        return 4L * units * ((hoisted ? 0L : inputs) + recurrent) * weights.bytes();
    }
}

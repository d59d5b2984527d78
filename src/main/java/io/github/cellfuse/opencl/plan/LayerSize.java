package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import java.util.function.ToIntFunction;

/**
 * What the choice of a plan depends on in a model: the sizes of a layer, and of its weights.
 *
 * @param inputs {@code I}
 * @param recurrent the hidden states that a step reads: {@code H}, or {@code P} with a projection
 * @param units {@code H}
 * @param directions 1, or 2 when bidirectional
 * @param weights how they are stored
 * @param projected whether a step's hidden states go through a projection
 */
public record LayerSize(
        int inputs, int recurrent, int units, int directions, WeightPrecision weights, boolean projected) {
    /** With a projection where the sizes show one. */
    public LayerSize(int inputs, int recurrent, int units, int directions, WeightPrecision weights) {
        this(inputs, recurrent, units, directions, weights, recurrent != units);
    }

    /** With weights in float32. */
    public LayerSize(int inputs, int recurrent, int units, int directions) {
        this(inputs, recurrent, units, directions, WeightPrecision.F32);
    }

    /** The top layer's, with weights in float32. */
    public static LayerSize of(LstmModel model) {
        return of(model, WeightPrecision.F32);
    }

    /**
     * The top layer's: the others are as large, but for the first. Where layers differ: as much of everything as any layer has, so
     * that what fits this fits all.
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

    /** Bytes of a direction's weights, of which the input's don't count when {@code hoisted}. */
    public long weightBytes(boolean hoisted) {
        return 4L * units * ((hoisted ? 0L : inputs) + recurrent) * weights.bytes();
    }
}

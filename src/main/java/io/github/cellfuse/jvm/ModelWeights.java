package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmModel;
import java.util.List;
import java.util.function.Supplier;

/**
 * A model's weights, laid out for the arithmetic that the engine's work calls for: plain loops at first, vectors once there is enough
 * to do. Until C2 has compiled it, vector code is slower than anything else, as the interpreter allocates every vector. Bits are the
 * same on both sides of the change. Thread safe.
 */
final class ModelWeights {
    /**
     * Operations of an engine from which vectors pay although it takes two cores half a second to get them going (docs/lab/experiments.md).
     */
    static final double VECTORS_FROM = 60e9;

    /** The weights of each layer and direction for one arithmetic. */
    record Packed(ArithmeticChoice choice, List<List<PackedWeights>> layers) {
        PackedWeights of(int layer, int direction) {
            return layers.get(layer).get(direction);
        }
    }

    private final LstmModel model;
    private final ArithmeticChoice first;
    private final Supplier<ArithmeticChoice> best;
    private final double bestFrom;
    private final double operationsOfAStep;

    private double operations;
    private Packed packed;

    /** As {@link ArithmeticChoice} has it for this JVM. */
    ModelWeights(LstmModel model) {
        this(model, ArithmeticChoice.first(), ArithmeticChoice::best, VECTORS_FROM);
    }

    /**
     * @param first what to begin with
     * @param best asked for what to go on with when there is enough to do
     * @param bestFrom how many operations that is
     */
    ModelWeights(LstmModel model, ArithmeticChoice first, Supplier<ArithmeticChoice> best, double bestFrom) {
        this.model = model;
        this.first = first;
        this.best = best;
        this.bestFrom = bestFrom;
        operationsOfAStep = model.layers().stream()
                .flatMap(layer -> layer.weights().stream())
                .mapToDouble(weights -> 2.0 * weights.input().length + 2.0 * weights.recurrent().length)
                .sum();
    }

    /** The weights for a run of this shape, which is counted. */
    synchronized Packed forRun(int rows, int steps) {
        operations += operationsOfAStep * rows * steps;
        ArithmeticChoice choice = operations < bestFrom ? first : best.get();
        if (packed == null || packed.choice != choice) {
            packed = null; // makes room for the others
            packed = new Packed(
                    choice,
                    model.layers().stream()
                            .map(layer -> layer.weights().stream()
                                    .map(choice.arithmetic()::pack)
                                    .toList())
                            .toList());
        }
        return packed;
    }

    /** What a run of this shape would be computed with, and why. */
    synchronized String explain(int rows, int steps) {
        ArithmeticChoice choice = operations + operationsOfAStep * rows * steps < bestFrom ? first : best.get();
        int units = model.layer(0).hiddenSize();
        return "tiles of " + choice.arithmetic().tile(units) + " x 4 gates, " + choice.reason();
    }
}

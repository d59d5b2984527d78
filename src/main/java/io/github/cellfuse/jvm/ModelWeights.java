package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A model's weights, packed for the arithmetic that suits the engine's work: plain loops at first, vectors once there
 * is enough to compute. Until C2 has compiled it, vector code is very slow, because the interpreter allocates every
 * vector. The bits are the same before and after the switch. Thread safe.
 */
final class ModelWeights {
    /**
     * Floating-point operations of an engine from which vectors pay off, although they take half a second on two cores
     * to get started ({@code docs/lab/experiments.md}).
     */
    static final double VECTORS_FROM = 60e9;

    /** The weights of each layer and direction for one arithmetic. */
    record Packed(ArithmeticChoice choice, List<List<PackedWeights>> layers) {
        PackedWeights of(int layer, int direction) {
            return layers.get(layer).get(direction);
        }
    }

    private final LstmModel model;
    private final Supplier<ArithmeticChoice> first, best;
    private final double bestFrom;
    private final double operationsOfAStep;

    private double operations;
    private Packed packed;

    /** Uses the arithmetics that {@link ArithmeticChoice} selects for this JVM. */
    ModelWeights(LstmModel model) {
        this(model, ArithmeticChoice::first, ArithmeticChoice::best, VECTORS_FROM);
    }

    /**
     * Uses the given arithmetics.
     *
     * @param first supplies the arithmetic to start with
     * @param best supplies the arithmetic to continue with when there is enough to compute
     * @param bestFrom the number of operations that is enough
     */
    ModelWeights(LstmModel model, Supplier<ArithmeticChoice> first, Supplier<ArithmeticChoice> best, double bestFrom) {
        this.model = model;
        this.first = first;
        this.best = best;
        this.bestFrom = bestFrom;
        operationsOfAStep = model.layers().stream()
                .flatMap(layer -> layer.weights().stream())
                .mapToDouble(weights -> 2.0 * weights.input().length + 2.0 * weights.recurrent().length)
                .sum();
    }

    /** Returns the weights for a run of this shape, and counts its operations. */
    synchronized Packed forRun(int rows, int steps) {
        operations += operationsOfAStep * rows * steps;
        ArithmeticChoice choice = operations < bestFrom ? first.get() : best.get();
        if (packed == null || packed.choice != choice) {
            packed = null; // frees the memory first
            Map<LstmWeights, PackedWeights> known = new HashMap<>(); // layers may share weights
            packed = new Packed(
                    choice,
                    model.layers().stream()
                            .map(layer -> layer.weights().stream()
                                    .map(one -> known.computeIfAbsent(one, choice.arithmetic()::pack))
                                    .toList())
                            .toList());
        }
        return packed;
    }

    /** Returns what a run of this shape would be computed with, and why. */
    synchronized String explain(int rows, int steps) {
        ArithmeticChoice choice = operations + operationsOfAStep * rows * steps < bestFrom ? first.get() : best.get();
        int units = model.layer(0).hiddenSize();
        return "tiles of " + choice.arithmetic().tile(units) + " x 4 gates, " + choice.reason();
    }
}

package io.github.cellfuse;

import java.util.Objects;
import java.util.Optional;

/**
 * Options of an engine. The plan, the number of threads and the listener don't change any bit of the results. The
 * precision of the weights does, in the same way on every device.
 *
 * @param plan the plan of an OpenCL engine; empty to choose it for the device and the shape
 * @param threads worker threads of the {@code java} and {@code reference} engines; 0 for one per core
 * @param weights how the weights are stored, and therefore rounded
 * @param listener receives every run of the engine's sessions; empty for none
 */
public record EngineOptions(Optional<Plan> plan, int threads, WeightPrecision weights, Optional<RunListener> listener) {
    /** The default: the engine chooses everything, and the weights are not rounded. */
    public static final EngineOptions DEFAULT =
            new EngineOptions(Optional.empty(), 0, WeightPrecision.F32, Optional.empty());

    public EngineOptions {
        Objects.requireNonNull(plan, "plan");
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(listener, "listener");
        if (threads < 0) {
            throw new InvalidInputException("threads: expected 0 (one for each core) or more, found " + threads);
        }
    }

    /** Returns the same options with the plan forced. */
    public EngineOptions withPlan(Plan plan) {
        return new EngineOptions(Optional.of(plan), threads, weights, listener);
    }

    /** Returns the same options, with which the engine chooses the plan. */
    public EngineOptions withoutPlan() {
        return new EngineOptions(Optional.empty(), threads, weights, listener);
    }

    /** Returns the same options with another number of threads. */
    public EngineOptions withThreads(int threads) {
        return new EngineOptions(plan, threads, weights, listener);
    }

    /** Returns the same options with another precision of the weights. */
    public EngineOptions withWeights(WeightPrecision weights) {
        return new EngineOptions(plan, threads, weights, listener);
    }

    /** Returns the same options with a listener, in place of another if there is one. */
    public EngineOptions withListener(RunListener listener) {
        return new EngineOptions(plan, threads, weights, Optional.of(listener));
    }
}

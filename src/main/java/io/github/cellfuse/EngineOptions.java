package io.github.cellfuse;

import java.util.Objects;
import java.util.Optional;

/**
 * How an engine runs. The plan and the threads change no bit of the result; the precision of the weights does, and in the same way on
 * every device.
 *
 * @param plan the plan of an OpenCL engine, or empty: chosen for the device and the shape
 * @param threads worker threads of the {@code java} and {@code reference} engines, or 0: one for each core
 * @param weights how the weights are stored, and therefore rounded
 */
public record EngineOptions(Optional<Plan> plan, int threads, WeightPrecision weights) {
    /** Everything chosen by the engine, weights as they are. */
    public static final EngineOptions DEFAULT = new EngineOptions(Optional.empty(), 0, WeightPrecision.F32);

    public EngineOptions {
        Objects.requireNonNull(plan, "plan");
        Objects.requireNonNull(weights, "weights");
        if (threads < 0) {
            throw new InvalidInputException("threads: expected 0 (one for each core) or more, found " + threads);
        }
    }

    /** The same options with the plan forced. */
    public EngineOptions withPlan(Plan plan) {
        return new EngineOptions(Optional.of(plan), threads, weights);
    }

    /** The same options with another number of threads. */
    public EngineOptions withThreads(int threads) {
        return new EngineOptions(plan, threads, weights);
    }

    /** The same options with the weights stored otherwise. */
    public EngineOptions withWeights(WeightPrecision weights) {
        return new EngineOptions(plan, threads, weights);
    }
}

package io.github.cellfuse;

import java.util.Objects;
import java.util.Optional;

/**
 * How an engine runs; none of it changes a bit of the result.
 *
 * @param plan the plan of an OpenCL engine, or empty: chosen for the device and the shape
 * @param threads worker threads of the {@code java} and {@code reference} engines, or 0: one for each core
 */
public record EngineOptions(Optional<Plan> plan, int threads) {
    /** Everything chosen by the engine. */
    public static final EngineOptions DEFAULT = new EngineOptions(Optional.empty(), 0);

    public EngineOptions {
        Objects.requireNonNull(plan, "plan");
        if (threads < 0) {
            throw new InvalidInputException("threads: expected 0 (one for each core) or more, found " + threads);
        }
    }

    /** The same options with the plan forced. */
    public EngineOptions withPlan(Plan plan) {
        return new EngineOptions(Optional.of(plan), threads);
    }

    /** The same options with another number of threads. */
    public EngineOptions withThreads(int threads) {
        return new EngineOptions(plan, threads);
    }
}

package io.github.cellfuse;

import java.util.Objects;
import java.util.Optional;

/**
 * What a run was and how long it took, by the host's clock. Both times are of {@link System#nanoTime}: on an OpenCL
 * device nobody asks for its own clock, because queues that keep it are slower.
 *
 * @param device the device
 * @param plan the plan; empty on {@code java} and {@code reference}, which have none
 * @param rows the rows N of the batch, or the number of streams
 * @param steps the steps T of the batch, as in {@link LstmInput#steps}; rows may be shorter
 * @param waitNanos the time in which nothing of the run was computed because of others: on {@code java} and
 *     {@code reference} until a thread of the engine was free, on an OpenCL device until no other run had it for
 *     itself, which plans with work-items that wait for each other need. 0 if the run didn't have to wait. How a driver
 *     shares the device among other plans isn't seen here: that is a part of {@code computeNanos}
 * @param computeNanos the rest of the time from the first thing given to the device until the results were with the
 *     caller. On an OpenCL device that is both copies and the kernels. It isn't what came before: checks, the choice of
 *     the plan, and kernels that the first run of a shape compiles
 */
public record RunMetrics(Device device, Optional<Plan> plan, int rows, int steps, long waitNanos, long computeNanos) {
    public RunMetrics {
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(plan, "plan");
    }
}

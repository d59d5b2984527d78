package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Objects;

/**
 * How a batch will run. Two choices are equal when they run in the same way, even for different reasons.
 *
 * @param plan the kernels of a step
 * @param step the tile of the step's kernel
 * @param projection the tile of the input projection, used where the step is hoisted
 * @param groups how work-items share the layer under {@link Plan#SEQUENCE}
 * @param reason one sentence for people
 * @param secondsWithoutWaiting an estimate of what a layer takes under the best plan whose work-items don't wait for
 *     each other; infinite if the time doesn't matter
 */
public record PlanChoice(
        Plan plan, Tile step, Tile projection, SequenceGroups groups, String reason, double secondsWithoutWaiting) {
    /** Creates a choice whose time doesn't matter. */
    public PlanChoice(Plan plan, Tile step, Tile projection, SequenceGroups groups, String reason) {
        this(plan, step, projection, groups, reason, Double.POSITIVE_INFINITY);
    }

    /** Returns the same choice for a run whose time doesn't matter. */
    public PlanChoice atAnyTime() {
        return new PlanChoice(plan, step, projection, groups, reason);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PlanChoice choice
                && plan == choice.plan
                && step.equals(choice.step)
                && projection.equals(choice.projection)
                && groups.equals(choice.groups);
    }

    @Override
    public int hashCode() {
        return Objects.hash(plan, step, projection, groups);
    }
}

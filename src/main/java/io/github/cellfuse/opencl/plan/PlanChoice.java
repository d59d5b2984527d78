package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Objects;

/**
 * How a batch will run.
 *
 * @param plan the kernels of a step
 * @param step the tile of the step's kernel
 * @param projection the tile of the input projection, where the step's input is hoisted
 * @param groups who does what under {@link Plan#SEQUENCE}
 * @param reason one sentence; two choices are equal when they run alike, whatever their reasons
 */
public record PlanChoice(Plan plan, Tile step, Tile projection, SequenceGroups groups, String reason) {
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

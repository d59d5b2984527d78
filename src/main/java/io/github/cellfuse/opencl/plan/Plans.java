package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.opencl.program.UnfitTileException;

/** Decides how an engine runs each shape. Tests replace it, to run a GPU's tiles on a CPU. Thread safe. */
public interface Plans {
    /** Returns the lanes of every tile, for which the weights are packed. */
    int vec();

    /**
     * Returns the plan and the tiles, of {@link #vec()} lanes, for a batch of {@code rows} rows and {@code steps}
     * steps.
     *
     * @param cooperative whether work-items may wait for each other
     */
    PlanChoice choose(int rows, int steps, boolean cooperative);

    /**
     * Returns whether a user has asked for work-groups that wait for each other, by naming the plan or by tuning. On
     * some GPUs none waits otherwise.
     */
    default boolean asksToWait() {
        return false;
    }

    /**
     * Never chooses again the tile that the device doesn't take.
     *
     * @throws UnfitTileException {@code unfit} itself, if there is no other choice
     */
    default void refuse(UnfitTileException unfit) {
        throw unfit;
    }
}

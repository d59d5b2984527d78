package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.opencl.program.UnfitTileException;

/** How an engine runs each shape. Tests put other tiles in its place, so that those of a GPU run on a CPU too. Thread safe. */
public interface Plans {
    /** Lanes of every tile: what the weights are packed for. */
    int vec();

    /**
     * The plan and the tiles, of {@link #vec()} lanes, for a batch of {@code rows} rows and {@code steps} steps.
     *
     * @param cooperative whether work-items may wait for each other
     */
    PlanChoice choose(int rows, int steps, boolean cooperative);

    /**
     * Never chooses again what the device doesn't take.
     *
     * @throws UnfitTileException {@code unfit} itself, where there is no other choice
     */
    default void refuse(UnfitTileException unfit) {
        throw unfit;
    }
}

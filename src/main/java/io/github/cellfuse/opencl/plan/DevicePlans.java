package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;
import java.util.List;
import java.util.Optional;

/** Finds the ways in which one kind of device runs a batch. Thread safe. */
interface DevicePlans {
    /**
     * A choice and why it was made.
     *
     * @param reason one sentence, without the name of the plan
     */
    record Pick(Candidate candidate, String reason) {}

    /**
     * Returns the candidate that should be fastest.
     *
     * @param forced the only plan that may be chosen, if the caller insists on one
     * @param cooperative whether work-items may wait for each other
     */
    Pick pick(int rows, int steps, Optional<Plan> forced, boolean cooperative);

    /**
     * Returns all candidates, those that should be fastest first.
     *
     * @param cooperative whether work-items may wait for each other
     */
    List<Candidate> ranked(int rows, int steps, boolean cooperative);

    /** Returns {@code candidate} with and without prefetching reversed; empty where that makes no difference. */
    default Optional<Candidate> withOtherPrefetch(Candidate candidate) {
        return Optional.empty();
    }

    /** Returns an estimate of what a layer takes if no work-item waits for another; infinite where none ever does. */
    default double secondsWithoutWaiting(int rows, int steps, Optional<Plan> forced) {
        return Double.POSITIVE_INFINITY;
    }

    /** Returns the tile of the input's product for {@code rows} rows, those of all steps counted. */
    Tile projection(long rows);

    /** Returns whether this machine can run {@code candidate}, apart from quirks of its driver. */
    boolean mayRun(Candidate candidate);

    /**
     * Never picks the staged {@code tile} again for the kernels of {@code source}; nothing to do where none is staged.
     */
    default void refuse(KernelSource source, Tile tile) {}

    /** Picks no staged tile again whose work-group has more than {@code most} work-items. */
    default void limit(long most) {}
}

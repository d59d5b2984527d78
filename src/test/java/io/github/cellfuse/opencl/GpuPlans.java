package io.github.cellfuse.opencl;

import io.github.cellfuse.Plan;
import java.util.Optional;

/** What {@code chooser} chooses for a GPU, on whatever device the test has. */
record GpuPlans(PlanChooser chooser, Optional<Plan> forced) implements Plans {
    @Override
    public int vec() {
        return 4;
    }

    @Override
    public PlanChoice choose(int rows, int steps, boolean together) {
        return chooser.choose(rows, steps, forced, together);
    }

    @Override
    public void refuse(UnfitTileException unfit) {
        chooser.refuse(unfit.source(), unfit.tile());
    }
}

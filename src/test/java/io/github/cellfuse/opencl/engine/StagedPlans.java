package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.program.UnfitTileException;
import java.util.Optional;

/** What {@code chooser} chooses for a GPU, on whatever device the test has. */
public record StagedPlans(PlanChooser chooser, Optional<Plan> forced) implements Plans {
    @Override
    public int vec() {
        return 4;
    }

    @Override
    public PlanChoice choose(int rows, int steps, boolean cooperative) {
        return chooser.choose(rows, steps, forced, cooperative);
    }

    @Override
    public void refuse(UnfitTileException unfit) {
        chooser.refuse(unfit);
    }
}

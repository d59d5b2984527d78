package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.Plans;
import java.util.Optional;

/**
 * Plans that run one given choice after another, on one engine: the model's weights are on the device once. Not thread
 * safe.
 */
final class SwitchedPlans implements Plans {
    private final PlanChooser chooser;
    private PlanChoice current;
    private boolean cooperative = true;

    /** Creates plans that fall back to those of {@code chooser} when work-items can't wait for each other. */
    SwitchedPlans(PlanChooser chooser) {
        this.chooser = chooser;
    }

    /** Makes {@code choice} the one that runs from now on. */
    void use(PlanChoice choice) {
        current = choice;
    }

    /** Returns false from the moment when cooperative work-items gave up waiting for each other. */
    boolean isCooperative() {
        return cooperative;
    }

    @Override
    public int vec() {
        return chooser.vec();
    }

    @Override
    public PlanChoice choose(int rows, int steps, boolean mayCooperate) {
        if (mayCooperate || !current.groups().isCooperative()) {
            return current;
        }
        cooperative = false;
        return chooser.choose(rows, steps, Optional.empty(), false);
    }
}

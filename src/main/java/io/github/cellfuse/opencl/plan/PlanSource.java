package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import java.util.Optional;

/** Supplies the plans of an engine. */
@FunctionalInterface
public interface PlanSource {
    /**
     * Returns the plans for a device and the sizes of a model.
     *
     * @param forced the only plan that may be chosen, if the caller insists on one
     */
    Plans plans(Capabilities device, LayerSize layer, Optional<Plan> forced);
}

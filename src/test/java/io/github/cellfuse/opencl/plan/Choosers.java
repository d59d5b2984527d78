package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;

/** Choosers that know no more of their device than anyone does before measuring it. */
public final class Choosers {
    private Choosers() {}

    public static PlanChooser typical(Capabilities device, LayerSize layer) {
        return new PlanChooser(device, layer, DeviceSpeed.typical(device));
    }

    /** In a process that may use {@code processors} cores. */
    public static PlanChooser typical(Capabilities device, LayerSize layer, int processors) {
        return new PlanChooser(device, layer, DeviceSpeed.typical(device), processors);
    }
}

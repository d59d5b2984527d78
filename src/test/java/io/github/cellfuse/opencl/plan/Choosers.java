package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;

/** Choosers with the typical speeds of their device. */
public final class Choosers {
    private Choosers() {}

    /** Returns the chooser of an engine on a device that was never tuned. */
    public static PlanChooser typical(Capabilities device, LayerSize layer) {
        return new PlanChooser(device, layer, DeviceSpeed.typical(device));
    }

    /** Returns the same chooser in a process that may use {@code processors} cores. */
    public static PlanChooser typical(Capabilities device, LayerSize layer, int processors) {
        return new PlanChooser(device, layer, DeviceSpeed.typical(device), processors);
    }
}

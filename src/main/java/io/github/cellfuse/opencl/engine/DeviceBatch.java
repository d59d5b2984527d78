package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;

/**
 * A batch on the device: what the kernels of all layers take their arguments from.
 *
 * @param run the sizes
 * @param buffers the session's buffers, large enough for {@code run}
 * @param before the buffer of the initial states
 * @param after the buffer of the final states; may be {@code before}
 * @param patience the seconds that a layer may take before work-items that wait for each other give up
 * @param trace what the cells store, if the kernels are built so; otherwise null
 * @param overlap what moves x and y between the steps; null if x is there before the first and y stays there
 */
record DeviceBatch(
        RunSizes run,
        Workspace buffers,
        ClBuffer before,
        ClBuffer after,
        double patience,
        DeviceTrace trace,
        Overlap overlap) {
    /** A batch whose states are in the session's own buffers. */
    DeviceBatch(RunSizes run, Workspace buffers, double patience, DeviceTrace trace, Overlap overlap) {
        this(
                run,
                buffers,
                buffers.buffer(DeviceTensor.INITIAL_STATES),
                buffers.buffer(DeviceTensor.FINAL_STATES),
                patience,
                trace,
                overlap);
    }

    /** Returns the buffer of {@code tensor}. */
    ClBuffer buffer(DeviceTensor tensor) {
        return buffers.buffer(tensor);
    }
}

package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.plan.PlanChoice;

/**
 * One layer under one plan. Its kernels stay from run to run. All directions of a layer are computed together, as they
 * don't depend on each other. Belongs to one session.
 */
interface LayerRun extends AutoCloseable {
    /** Enqueues a batch: its initial states, all of its time steps, and its final states. */
    void enqueue(Launcher launcher, DeviceBatch batch);

    /** Closes the kernels. */
    @Override
    void close();

    /**
     * Opens the kernels of a layer.
     *
     * @param isTraced whether its cells store what they compute; see {@link DeviceTrace}
     * @throws io.github.cellfuse.opencl.program.UnfitTileException when the device refuses a tile of {@code choice}
     * @throws DeviceClock.UnusableException when work-items may not wait for each other, as {@code choice} has it
     */
    static LayerRun open(OpenClEngine engine, int index, PlanChoice choice, boolean isTraced) {
        DeviceLayer layer = new DeviceLayer(engine, index, isTraced);
        try {
            return choice.plan() == Plan.SEQUENCE ? new WholeSequence(layer, choice) : new LaunchedSteps(layer, choice);
        } catch (RuntimeException | Error e) {
            layer.close();
            throw e;
        }
    }
}

package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.opencl.plan.PlanChoice;

/** Where the input's share of the pre-activations is computed. */
interface InputProduct {
    /** Returns how many steps it is computed for at a time, at least 1. */
    int stepsAtOnce(RunSizes run);

    /** Binds what stays the same for all chunks of a batch. */
    void bind(DeviceBatch batch);

    /** Enqueues the product of the steps from {@code first} to {@code last}. */
    void enqueue(Launcher launcher, DeviceBatch batch, int first, int last);

    /** Returns the way that {@code choice} says. */
    static InputProduct of(DeviceLayer layer, LayerArguments arguments, PlanChoice choice) {
        return choice.step().hoisted() ? new HoistedInput(layer, arguments, choice) : new InputInStep();
    }

    /** The kernel of a step multiplies its input, too, so there is nothing to do before. */
    final class InputInStep implements InputProduct {
        @Override
        public int stepsAtOnce(RunSizes run) {
            return Math.max(1, run.longest());
        }

        @Override
        public void bind(DeviceBatch batch) {}

        @Override
        public void enqueue(Launcher launcher, DeviceBatch batch, int first, int last) {}
    }
}

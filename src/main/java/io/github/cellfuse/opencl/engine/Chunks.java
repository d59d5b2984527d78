package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.opencl.program.Kernel;

/**
 * The chunks of steps that a layer goes through. With a hoisted input product, a chunk is as many steps as its
 * pre-activations have room for; otherwise there is one chunk. A trace makes chunks as short as its memory, and moving
 * x and y meanwhile as short as the parts in which they are moved.
 */
final class Chunks {
    /** The parameters of a kernel that say which steps a chunk has. */
    static final String FIRST = "first_step", LAST = "last_step";

    /** Enqueues the steps of a chunk. */
    interface Steps {
        void enqueue(int first, int last);
    }

    private final DeviceLayer layer;
    private final InputProduct input;
    private final Kernel.Argument firstStep;
    private final Kernel.Argument lastStep;

    /** Chunks for {@code product}, the kernel that multiplies the hidden states. */
    Chunks(DeviceLayer layer, InputProduct input, Kernel product) {
        this.layer = layer;
        this.input = input;
        firstStep = product.argument(FIRST);
        lastStep = product.argument(LAST);
    }

    /** Enqueues {@code steps} for each chunk, after the chunk's input product. */
    void enqueue(Launcher launcher, DeviceBatch batch, Steps steps) {
        input.bind(batch);
        int longest = batch.run().longest(), length = input.stepsAtOnce(batch.run());
        length = layer.isTraced ? Math.min(length, batch.trace().slots()) : length;
        Overlap overlap = batch.overlap();
        length = overlap != null ? overlap.begin(layer, length) : length;
        for (int first = 1; first <= longest; first += length) {
            int last = Math.min(first + length - 1, longest);
            firstStep.set(first);
            lastStep.set(last);
            if (overlap != null) {
                overlap.beforeSteps(layer);
            }
            input.enqueue(launcher, batch, first, last);
            steps.enqueue(first, last);
            if (overlap != null) {
                overlap.afterSteps(layer, last);
            }
            if (layer.isTraced) {
                batch.trace().deliver(batch, layer, first, last);
            }
        }
    }
}

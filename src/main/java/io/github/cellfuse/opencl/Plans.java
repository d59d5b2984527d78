package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import java.util.Optional;

/** How an engine runs each shape. Tests put other tiles in its place, so that those of a GPU run on a CPU too. Thread safe. */
interface Plans {
    /** Lanes of every tile: what the weights are packed for. */
    int vec();

    /** The plan and the tiles, of {@link #vec()} lanes, for a batch of {@code rows} rows and {@code steps} steps. */
    PlanChoice choose(int rows, int steps);

    /** What {@link PlanChooser} says of {@code device} and the top layer of {@code model} (the others are as large, but for the first), or {@code forced} where the caller insists on a plan. */
    static Plans of(Capabilities device, LstmModel model, Optional<Plan> forced) {
        LstmWeights last = model.weights(model.layerCount() - 1, 0);
        long weightBytes = 4L * (last.inputSize() + last.outputSize()) * last.hiddenSize() * Float.BYTES;
        return new Plans() {
            @Override
            public int vec() {
                return PlanChooser.vec(device);
            }

            @Override
            public PlanChoice choose(int rows, int steps) {
                return PlanChooser.choose(device, weightBytes, rows, steps, forced);
            }
        };
    }
}

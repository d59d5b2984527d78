package io.github.cellfuse.jvm;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineContract;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.WeightPrecision;

/** The contract on the {@code java} device with weights rounded to bfloat16, the coarser of the two. */
class RoundedWeightsTest extends EngineContract {
    @Override
    protected Device device() {
        return Device.JAVA;
    }

    @Override
    protected EngineOptions options() {
        return EngineOptions.DEFAULT.withWeights(WeightPrecision.BF16);
    }
}

package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineContract;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.device.OpenClDevices;

/** The contract on the first OpenCL device with weights stored as bfloat16. */
class Bfloat16EngineTest extends EngineContract {
    @Override
    protected Device device() {
        return OpenClDevices.nameOf(TestDevices.first());
    }

    @Override
    protected EngineOptions options() {
        return EngineOptions.DEFAULT.withWeights(WeightPrecision.BF16);
    }
}

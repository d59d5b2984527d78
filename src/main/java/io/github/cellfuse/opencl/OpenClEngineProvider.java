package io.github.cellfuse.opencl;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.engine.OpenClEngine;
import io.github.cellfuse.opencl.tune.TunedPlans;
import io.github.cellfuse.spi.EngineProvider;
import java.util.List;

/** Provides the {@code opencl} devices. */
public final class OpenClEngineProvider implements EngineProvider {
    @Override
    public boolean handles(Device device) {
        return device instanceof Device.OpenCl;
    }

    @Override
    public List<DeviceInfo> devices() {
        return OpenCl.devices().stream().map(OpenClDevices::describe).toList();
    }

    @Override
    public List<String> problems() {
        return OpenCl.problems();
    }

    @Override
    public LstmEngine open(Device device, LstmModel model, EngineOptions options) {
        return OpenClEngine.open(OpenClDevices.find((Device.OpenCl) device), model, options, TunedPlans::of);
    }
}

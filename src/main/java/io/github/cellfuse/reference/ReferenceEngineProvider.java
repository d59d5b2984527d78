package io.github.cellfuse.reference;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Tier;
import io.github.cellfuse.spi.EngineProvider;
import java.util.List;
import java.util.Map;

/** Provides the {@code reference} device, which is always present. */
public final class ReferenceEngineProvider implements EngineProvider {
    @Override
    public boolean handles(Device device) {
        return device instanceof Device.Reference;
    }

    @Override
    public List<DeviceInfo> devices() {
        return List.of(new DeviceInfo(
                Device.REFERENCE,
                DeviceInfo.Kind.CPU,
                "double precision, the equations as written",
                Tier.REFERENCE,
                Map.of("threads", Integer.toString(Runtime.getRuntime().availableProcessors()))));
    }

    @Override
    public List<String> problems() {
        return List.of();
    }

    @Override
    public LstmEngine open(Device device, LstmModel model, EngineOptions options) {
        return new ReferenceEngine(model, options);
    }
}

package io.github.cellfuse.spi;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import java.util.List;

/** How a kind of device plugs in: found by {@link java.util.ServiceLoader}. Thread safe. */
public interface EngineProvider {
    /** Whether {@code device} is of this kind, present or not. */
    boolean handles(Device device);

    /** The devices of this kind that can be opened. Never throws: what is wrong goes to {@link #problems()}. */
    List<DeviceInfo> devices();

    /** Why devices are missing, one sentence each. */
    List<String> problems();

    /**
     * Opens {@code model}, rounded as the options ask, on {@code device}; see {@link LstmEngine#open(Device, LstmModel,
     * EngineOptions)}.
     */
    LstmEngine open(Device device, LstmModel model, EngineOptions options);
}

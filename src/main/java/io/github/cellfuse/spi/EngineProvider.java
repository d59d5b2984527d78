package io.github.cellfuse.spi;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import java.util.List;

/** Opens engines on one kind of device. Found by {@link java.util.ServiceLoader}. Thread safe. */
public interface EngineProvider {
    /** Returns whether {@code device} is of this kind, whether or not it is present. */
    boolean handles(Device device);

    /**
     * Returns the devices of this kind that can be opened. Never throws: {@link #problems()} reports what went wrong.
     */
    List<DeviceInfo> devices();

    /** Returns why devices are missing, one sentence each. */
    List<String> problems();

    /**
     * Opens {@code model}, rounded as the options ask, on {@code device}; see {@link LstmEngine#open(Device, LstmModel,
     * EngineOptions)}.
     */
    LstmEngine open(Device device, LstmModel model, EngineOptions options);
}

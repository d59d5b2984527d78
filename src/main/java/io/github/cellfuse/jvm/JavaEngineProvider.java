package io.github.cellfuse.jvm;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Tier;
import io.github.cellfuse.spi.EngineProvider;
import io.github.cellfuse.spi.RunWatch;
import java.util.List;
import java.util.Map;

/** Provides the {@code java} device, which is always present. */
public final class JavaEngineProvider implements EngineProvider {
    @Override
    public boolean handles(Device device) {
        return device instanceof Device.Java;
    }

    @Override
    public List<DeviceInfo> devices() {
        String name = "Java " + System.getProperty("java.version") + " (" + System.getProperty("java.vm.name") + ")";
        return List.of(new DeviceInfo(
                Device.JAVA,
                DeviceInfo.Kind.CPU,
                name,
                Tier.EXACT,
                Map.of("threads", Integer.toString(Runtime.getRuntime().availableProcessors()))));
    }

    @Override
    public List<String> problems() {
        return List.of();
    }

    @Override
    public LstmEngine open(Device device, LstmModel model, EngineOptions options) {
        return open(model, options, RunWatch.of(options));
    }

    /** Opens {@code model} for a self-test, whose runs are nobody's. */
    public LstmEngine openUnwatched(LstmModel model, EngineOptions options) {
        return open(model, options, RunWatch.NOBODY);
    }

    private static LstmEngine open(LstmModel model, EngineOptions options, RunWatch runs) {
        LstmModel rounded = options.weights().round(model);
        return new JavaEngine(rounded, options, new ModelWeights(rounded), runs);
    }
}

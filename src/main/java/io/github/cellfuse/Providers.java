package io.github.cellfuse;

import io.github.cellfuse.spi.EngineProvider;
import java.util.List;
import java.util.ServiceLoader;

/** The engine providers on the class path, in the order of their service file. */
final class Providers {
    private static final List<EngineProvider> ALL =
            ServiceLoader.load(EngineProvider.class, Providers.class.getClassLoader()).stream()
                    .map(ServiceLoader.Provider::get)
                    .toList();

    private Providers() {}

    static List<EngineProvider> all() {
        return ALL;
    }

    static EngineProvider of(Device device) {
        return ALL.stream()
                .filter(provider -> provider.handles(device))
                .findFirst()
                .orElseThrow(() -> new CellFuseException("no engine for device " + device
                        + " on the class path: META-INF/services/" + EngineProvider.class.getName()
                        + " is missing or was overwritten"));
    }
}

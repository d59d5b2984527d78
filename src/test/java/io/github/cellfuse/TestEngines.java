package io.github.cellfuse;

import io.github.cellfuse.cl.TestDevices;
import java.util.ArrayList;
import java.util.List;

/**
 * The devices that tests run on: every OpenCL device there is (at least one, or the tests fail and say how to get it)
 * and java.
 */
public final class TestEngines {
    private TestEngines() {}

    /** Devices of the exact tier: {@code java} first, then each OpenCL device. */
    public static List<Device> exact() {
        List<Device> devices = new ArrayList<>();
        devices.add(Device.JAVA);
        TestDevices.list().forEach(d -> devices.add(new Device.OpenCl(d.platformIndex(), d.index())));
        return devices;
    }

    /** All devices: those above and {@code reference}. */
    public static List<Device> all() {
        List<Device> devices = new ArrayList<>(exact());
        devices.add(Device.REFERENCE);
        return devices;
    }

    /** The seed of the random cases: {@code -Dcellfuse.seed=N}, or {@code otherwise}. */
    public static long seed(long otherwise) {
        String given = System.getProperty("cellfuse.seed", "");
        return given.isBlank() ? otherwise : Long.parseLong(given);
    }
}

package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.cl.Capabilities;
import java.util.Locale;

/**
 * How fast a device is at what {@link CostModel} counts: its roofline. {@code cellfuse tune} measures it and keeps it; before that it
 * is what such devices usually have.
 *
 * @param flops operations per second of all cores, two for a multiply-add
 * @param near bytes per second that one core reads from its own cache while all do
 * @param far bytes per second that one core reads from the cache that all share while all do
 * @param memory bytes per second of all cores, copying beyond the caches: read and written ones
 * @param launch seconds of an empty launch among others
 */
public record DeviceSpeed(double flops, double near, double far, double memory, double launch) {
    public DeviceSpeed {
        if (!(flops > 0 && near > 0 && far > 0 && memory > 0 && launch > 0)) {
            throw new IllegalArgumentException("expected a speed above 0, found " + flops + ", " + near + ", " + far
                    + ", " + memory + ", " + launch);
        }
    }

    /**
     * A server's core of today: two multiply-adds of a register's width in a cycle of 0.4 ns, or one in 0.25; the caches as measured on two
     * such processors ({@code docs/tuning.md}).
     */
    public static DeviceSpeed typical(Capabilities device) {
        int cores = Math.max(1, device.computeUnits());
        return new DeviceSpeed(9e9 * PlanChooser.vec(device) * cores, 95e9, typicalFar(device), 25e9, 4e-6);
    }

    /** The shared cache is what processors of today differ in most: AMD's cores read it three times as fast as Intel's servers'. */
    private static double typicalFar(Capabilities device) {
        String names = device.name() + " " + device.vendor();
        return names.contains("AMD") ? 95e9 : names.contains("Intel") ? 30e9 : 50e9;
    }

    /** {@code 232 GFLOP/s, 114 and 97 GB/s of a core from the near and the far cache, 36 GB/s copied, 2.0 us a launch}. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%.0f GFLOP/s, %.0f and %.0f GB/s of a core from the near and the far cache, %.0f GB/s copied, %.1f us a launch",
                flops * 1e-9,
                near * 1e-9,
                far * 1e-9,
                memory * 1e-9,
                launch * 1e6);
    }
}

package io.github.cellfuse.opencl.device;

import io.github.cellfuse.cl.Capabilities;
import java.util.Locale;

/**
 * The speeds of a device that decide which plan is fastest: its roofline. {@code cellfuse tune} measures and stores
 * them; until then, they are those of a typical device of its kind.
 *
 * @param flops operations per second of all cores; a multiply-add counts as two
 * @param near bytes per second that each core reads from its own cache while all cores read
 * @param far bytes per second that each core reads from the shared cache while all cores read
 * @param memory bytes per second of all cores when copying memory; reads and writes both count
 * @param launch seconds of an empty launch in a row of launches
 */
public record DeviceSpeed(double flops, double near, double far, double memory, double launch) {
    public DeviceSpeed {
        if (!(flops > 0 && near > 0 && far > 0 && memory > 0 && launch > 0)) {
            throw new IllegalArgumentException("expected a speed above 0, found " + flops + ", " + near + ", " + far
                    + ", " + memory + ", " + launch);
        }
    }

    /**
     * Returns the speed of a current server core: two multiply-adds of a full register in a cycle of 0.4 ns, or one in
     * 0.25 ns. The speeds of the caches were measured on two such processors ({@code docs/design/plans.md}).
     */
    public static DeviceSpeed typical(Capabilities device) {
        DeviceTraits traits = DeviceTraits.of(device);
        return new DeviceSpeed(9e9 * traits.vec() * traits.cores(), 95e9, typicalFar(device), 25e9, 4e-6);
    }

    /**
     * Processors differ most in the shared cache: AMD's cores read it three times as fast as those of Intel's servers.
     */
    private static double typicalFar(Capabilities device) {
        String names = device.name() + " " + device.vendor();
        return names.contains("AMD") ? 95e9 : names.contains("Intel") ? 30e9 : 50e9;
    }

    /**
     * Returns the speeds for people: {@code 232 GFLOP/s, 114 and 97 GB/s of a core from the near and the far cache, 36
     * GB/s copied, 2.0 us a launch}.
     */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%.0f GFLOP/s, %.0f and %.0f GB/s of a core from the near and the far cache, %.0f GB/s copied, "
                        + "%.1f us a launch",
                flops * 1e-9,
                near * 1e-9,
                far * 1e-9,
                memory * 1e-9,
                launch * 1e6);
    }
}

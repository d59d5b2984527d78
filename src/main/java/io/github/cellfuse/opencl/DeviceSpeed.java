package io.github.cellfuse.opencl;

import io.github.cellfuse.cl.Capabilities;

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
record DeviceSpeed(double flops, double near, double far, double memory, double launch) {
    DeviceSpeed {
        if (!(flops > 0 && near > 0 && far > 0 && memory > 0 && launch > 0)) {
            throw new IllegalArgumentException("expected a speed above 0, found " + flops + ", " + near + ", " + far
                    + ", " + memory + ", " + launch);
        }
    }

    /**
     * A server's core of today: two multiply-adds of a register's width in a cycle of 0.4 ns, or one in 0.25; the caches as measured on two
     * such processors ({@code docs/tuning.md}).
     */
    static DeviceSpeed typical(Capabilities device) {
        int cores = Math.max(1, device.computeUnits());
        return new DeviceSpeed(9e9 * PlanChooser.vec(device) * cores, 95e9, 50e9, 25e9, 4e-6);
    }
}

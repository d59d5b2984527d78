package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.opencl.device.DeviceSpeed;
import java.util.List;

/**
 * What {@code cellfuse tune} found on a device. Immutable.
 *
 * @param speed the device's roofline when last measured
 * @param entries the winners
 */
public record Tuned(DeviceSpeed speed, List<TunedEntry> entries) {
    public Tuned {
        entries = List.copyOf(entries);
    }
}

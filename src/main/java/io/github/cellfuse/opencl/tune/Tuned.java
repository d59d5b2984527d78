package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.opencl.device.DeviceSpeed;
import java.util.List;

/**
 * The results of {@code cellfuse tune} on a device. Immutable.
 *
 * @param speed the speeds of the device, from the last measurement
 * @param entries the winners
 */
public record Tuned(DeviceSpeed speed, List<TunedEntry> entries) {
    public Tuned {
        entries = List.copyOf(entries);
    }
}

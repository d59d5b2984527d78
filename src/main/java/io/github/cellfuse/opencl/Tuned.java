package io.github.cellfuse.opencl;

import java.util.List;

/**
 * What {@code cellfuse tune} found on a device. Immutable.
 *
 * @param speed the device's roofline when last measured
 * @param entries the winners
 */
record Tuned(DeviceSpeed speed, List<TunedEntry> entries) {
    Tuned {
        entries = List.copyOf(entries);
    }
}

package io.github.cellfuse;

import java.util.Map;

/**
 * What is known about a device before it is opened.
 *
 * @param device the exact name of the device
 * @param kind the kind of device
 * @param name the vendor's name for the device
 * @param tier the tier that its capabilities promise; the self-test at opening may lower it
 * @param properties further facts by name, in display order; {@code warning} if the process lacks something that the
 *     device's driver needs
 */
public record DeviceInfo(Device device, Kind kind, String name, Tier tier, Map<String, String> properties) {
    /** Kinds of device. */
    public enum Kind {
        GPU,
        ACCELERATOR,
        CPU,
        OTHER
    }
}

package io.github.cellfuse;

import java.util.Map;

/**
 * What is known of a device before it is opened.
 *
 * @param device its exact name
 * @param kind what it is
 * @param name the vendor's name for it
 * @param tier what its queried capabilities promise; the self-test that runs when it is opened may lower it
 * @param properties further facts by name, in the order to show them
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

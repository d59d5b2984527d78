package io.github.cellfuse;

import java.util.Map;
import java.util.Optional;

/**
 * What is known about a device before it is opened.
 *
 * @param device the exact name of the device
 * @param kind the kind of device
 * @param name the vendor's name for the device
 * @param tier the tier that its capabilities promise; the self-test at opening may lower it
 * @param properties further facts by name, in display order; {@code warning} if the process lacks something that the
 *     device's driver needs, {@link #OBSTACLE} if the device can't be used
 * @param memory what it has memory for
 */
public record DeviceInfo(
        Device device, Kind kind, String name, Tier tier, Map<String, String> properties, Memory memory) {
    /** The property that says why a device that is listed can't be used. */
    public static final String OBSTACLE = "can't be used";

    /**
     * The limits of a device's memory, in bytes.
     *
     * @param bytes all of it
     * @param largestBuffer what it allocates at once
     */
    public record Memory(long bytes, long largestBuffer) {
        /** The limits of a device that computes in the memory of this process, which the JVM limits. */
        public static final Memory OF_PROCESS = new Memory(Long.MAX_VALUE, Long.MAX_VALUE);
    }

    /** Describes a device that computes in the memory of this process. */
    public DeviceInfo(Device device, Kind kind, String name, Tier tier, Map<String, String> properties) {
        this(device, kind, name, tier, properties, Memory.OF_PROCESS);
    }

    /** Kinds of device. */
    public enum Kind {
        GPU,
        ACCELERATOR,
        CPU,
        OTHER
    }

    /**
     * Returns why the device can't be used: its driver has no compiler, say. Empty if it should be usable. A device
     * with an obstacle is never chosen by {@code auto}, and refused if it is named.
     */
    public Optional<String> obstacle() {
        return Optional.ofNullable(properties.get(OBSTACLE));
    }
}

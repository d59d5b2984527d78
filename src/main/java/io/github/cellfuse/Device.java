package io.github.cellfuse;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a device. It is a value, cheap to create and to compare; nothing is opened until {@link LstmEngine#open}.
 *
 * <table>
 * <caption>Names on the command line</caption>
 * <tr><td>{@code reference}</td><td>double precision, the equations as written; slow; the standard for the errors of
 * the other devices</td></tr>
 * <tr><td>{@code java}</td><td>float32 in plain Java on all cores: the same bits as the kernels, without
 * OpenCL</td></tr>
 * <tr><td>{@code opencl}, {@code opencl:P}, {@code opencl:P.D}</td><td>the first OpenCL device, the first device of
 * platform P, device D of platform P</td></tr>
 * </table>
 */
public sealed interface Device {

    /** The device {@code reference}: double precision, the equations as written. */
    record Reference() implements Device {
        @Override
        public String toString() {
            return "reference";
        }
    }

    /** The device {@code java}: float32 in plain Java. */
    record Java() implements Device {
        @Override
        public String toString() {
            return "java";
        }
    }

    /**
     * An OpenCL device.
     *
     * @param platform index of the platform, or {@link #ANY}: the first one that has a device
     * @param index index of the device in its platform, or {@link #ANY}: the first one
     */
    record OpenCl(int platform, int index) implements Device {
        /** Stands for the first platform or device. */
        public static final int ANY = -1;

        /** Returns whether this names exactly one device, rather than the first one found. */
        public boolean isExact() {
            return platform != ANY && index != ANY;
        }

        @Override
        public String toString() {
            return "opencl" + (platform == ANY ? "" : ":" + platform) + (index == ANY ? "" : "." + index);
        }
    }

    /** {@code reference}. */
    Device REFERENCE = new Reference();

    /** {@code java}. */
    Device JAVA = new Java();

    /** {@code opencl}, the first OpenCL device. */
    Device OPENCL = new OpenCl(OpenCl.ANY, OpenCl.ANY);

    /**
     * Returns the device with a name from the table above, ignoring case.
     *
     * @throws InvalidInputException if there is no such name
     */
    static Device parse(String name) {
        String lower = name.trim().toLowerCase(Locale.ROOT);
        Matcher opencl =
                Pattern.compile("opencl(?::(\\d{1,4})(?:\\.(\\d{1,4}))?)?").matcher(lower);
        if (opencl.matches()) {
            return new OpenCl(number(opencl.group(1)), number(opencl.group(2)));
        }
        return switch (lower) {
            case "reference" -> REFERENCE;
            case "java" -> JAVA;
            default ->
                throw new InvalidInputException(
                        "device: expected java, reference, opencl, opencl:P or opencl:P.D, found '" + name + "'");
        };
    }

    private static int number(String digits) {
        return digits == null ? OpenCl.ANY : Integer.parseInt(digits);
    }

    /**
     * Returns every device that can be opened on this machine: OpenCL devices by platform and index, then {@code java},
     * then {@code reference}.
     */
    static List<DeviceInfo> all() {
        return Providers.all().stream().flatMap(p -> p.devices().stream()).toList();
    }

    /** Returns why expected devices are missing, one sentence each: no ICD loader, no platform, a failed query. */
    static List<String> problems() {
        return Providers.all().stream().flatMap(p -> p.problems().stream()).toList();
    }

    /**
     * Returns the device that {@code auto} tries first, with the reason: an exact GPU or accelerator, else an exact
     * OpenCL CPU, else {@code java}. The choice relies on what the devices promise; none is opened.
     * {@link AutoDevice#open} and {@link LstmEngine#open(LstmModel)} also test the device, and try the next one if it
     * fails.
     */
    static AutoDevice.Candidate auto() {
        return AutoDevice.candidates(all(), problems()).get(0);
    }
}

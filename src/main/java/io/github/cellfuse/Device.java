package io.github.cellfuse;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a device: a value, cheap to make and to compare; nothing is opened until {@link LstmEngine#open}.
 *
 * <table>
 * <caption>Names on the command line</caption>
 * <tr><td>{@code reference}</td><td>double precision, the equations as written; slow; judges the errors of the others</td></tr>
 * <tr><td>{@code java}</td><td>float32 in plain Java on all cores: the same bits as the kernels, no OpenCL needed</td></tr>
 * <tr><td>{@code opencl}, {@code opencl:P}, {@code opencl:P.D}</td><td>the first OpenCL device, the first of platform P, device D
 * of platform P</td></tr>
 * </table>
 */
public sealed interface Device {

    /** Double precision, plain equations. */
    record Reference() implements Device {
        @Override
        public String toString() {
            return "reference";
        }
    }

    /** Float32 in plain Java. */
    record Java() implements Device {
        @Override
        public String toString() {
            return "java";
        }
    }

    /**
     * An OpenCL device.
     *
     * @param platform index of the platform, or {@link #ANY}: the first that has a device
     * @param index index of the device in its platform, or {@link #ANY}: the first
     */
    record OpenCl(int platform, int index) implements Device {
        /** The first there is. */
        public static final int ANY = -1;

        /** Whether this names one device, rather than the first of several. */
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

    /** {@code opencl}: the first OpenCL device. */
    Device OPENCL = new OpenCl(OpenCl.ANY, OpenCl.ANY);

    /**
     * Reads a name from the table above.
     *
     * @throws InvalidInputException when it isn't one
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

    /** Every device that can be opened here: OpenCL devices by platform and index, then {@code java}, then {@code reference}. */
    static List<DeviceInfo> all() {
        return Providers.all().stream().flatMap(p -> p.devices().stream()).toList();
    }

    /** Why devices that could have been expected are missing, one sentence each: no ICD loader, no platform, a failed query. */
    static List<String> problems() {
        return Providers.all().stream().flatMap(p -> p.problems().stream()).toList();
    }

    /**
     * Returns the device that {@code auto} tries first, with the reason: an exact GPU or accelerator, else an exact OpenCL CPU,
     * else {@code java}. This goes by what devices promise, and opens none. {@link AutoDevice#open} and {@link
     * LstmEngine#open(LstmModel)} also test the device, and try the next one if it fails.
     */
    static AutoDevice.Candidate auto() {
        return AutoDevice.candidates(all(), problems()).get(0);
    }
}

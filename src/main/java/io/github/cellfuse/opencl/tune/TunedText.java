package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.program.KernelSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The text of a device's tuned file ({@code docs/tune.md}): a header with the device and its speeds, then a line for
 * each entry. Reading trusts nothing: one field out of place or out of range, and the whole text is refused.
 */
final class TunedText {
    private static final String FORMAT = "cellfuse-tuned";
    private static final String VERSION = "3";
    private static final int MAX_ENTRIES = 10_000;

    private TunedText() {}

    /** The text can't be used; the message names the field, what was expected and what was found. */
    static final class Unusable extends IOException {
        private static final long serialVersionUID = 1L;

        Unusable(String field, Object expected, Object found) {
            super(field + ": expected " + expected + ", found " + found);
        }
    }

    /** A header's line with a speed, in a unit for people. */
    private record Speed(String title, double unit, ToDoubleFunction<DeviceSpeed> value) {}

    /** In the order of the components of {@link DeviceSpeed}. */
    private static final List<Speed> SPEEDS = List.of(
            new Speed("fma-peak-gflops", 1e9, DeviceSpeed::flops),
            new Speed("core-near-gbytes-per-s", 1e9, DeviceSpeed::near),
            new Speed("core-far-gbytes-per-s", 1e9, DeviceSpeed::far),
            new Speed("copy-gbytes-per-s", 1e9, DeviceSpeed::memory),
            new Speed("launch-us", 1e-6, DeviceSpeed::launch));

    /** Returns the text of {@code tuned}. */
    static String write(Capabilities device, Tuned tuned) {
        StringBuilder text = new StringBuilder(FORMAT + " " + VERSION + "\n");
        identity(device).forEach((field, value) -> text.append(field + " " + value + "\n"));
        for (Speed speed : SPEEDS) {
            double value = speed.value.applyAsDouble(tuned.speed()) / speed.unit;
            text.append(String.format(Locale.ROOT, "%s %.3f\n", speed.title, value));
        }
        text.append("entries " + tuned.entries().size() + "\n");
        for (TunedEntry entry : tuned.entries()) {
            text.append(TunedField.line(entry)).append('\n');
        }
        return text.toString();
    }

    /** Returns the header's lines that must be the same for a measurement to count. */
    private static Map<String, String> identity(Capabilities device) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("device", line(device.name()));
        lines.put("driver", line(device.driverVersion()));
        lines.put("compute-units", Integer.toString(device.computeUnits()));
        lines.put("kernels", KernelSource.fingerprint());
        return lines;
    }

    /**
     * Returns the content of {@code text}.
     *
     * @throws Unusable if it is damaged, of another version, or for another device, driver or kernels than those of
     *     {@code device}
     */
    static Tuned read(String text, Capabilities device) throws Unusable {
        String[] lines = text.split("\\R", -1);
        int next = 0;
        String version = header(lines, next++, FORMAT);
        if (!version.equals(VERSION)) {
            throw new Unusable("version", VERSION, quoted(version));
        }
        for (Map.Entry<String, String> expected : identity(device).entrySet()) {
            String found = header(lines, next++, expected.getKey());
            if (!found.equals(expected.getValue())) {
                throw new Unusable(expected.getKey(), quoted(expected.getValue()), quoted(found));
            }
        }
        List<Double> speeds = new ArrayList<>();
        for (Speed speed : SPEEDS) {
            speeds.add(decimal(speed.title, header(lines, next++, speed.title)) * speed.unit);
        }
        int count = number("entries", header(lines, next++, "entries"), 0, MAX_ENTRIES);
        // A truncated file ends without its last line break, or lacks lines.
        int found = lines.length - next - 1;
        if (found != count || !lines[lines.length - 1].isEmpty()) {
            throw new Unusable("entries", count + " whole lines", Math.max(0, found));
        }
        List<TunedEntry> entries = new ArrayList<>();
        for (int k = next; k < next + count; k++) {
            entries.add(TunedField.entry(lines[k], "line " + (k + 1)));
        }
        return new Tuned(
                new DeviceSpeed(speeds.get(0), speeds.get(1), speeds.get(2), speeds.get(3), speeds.get(4)), entries);
    }

    private static String header(String[] lines, int index, String field) throws Unusable {
        String found = index < lines.length ? lines[index] : "";
        if (!found.startsWith(field + " ")) {
            throw new Unusable("line " + (index + 1), "'" + field + " ...'", quoted(found));
        }
        return found.substring(field.length() + 1);
    }

    static int number(String at, String word, int least, int most) throws Unusable {
        // Digits alone: parseLong also takes signs and the digits of other scripts.
        if (word.matches("[0-9]{1,10}") && Long.parseLong(word) >= least && Long.parseLong(word) <= most) {
            return Integer.parseInt(word);
        }
        throw new Unusable(at, least + " to " + most, quoted(word));
    }

    private static double decimal(String at, String word) throws Unusable {
        if (word.matches("[0-9]{1,9}\\.[0-9]{1,6}") && Double.parseDouble(word) > 0) {
            return Double.parseDouble(word);
        }
        throw new Unusable(at, "a number above 0 such as 12.345", quoted(word));
    }

    /** Returns what a driver reports, on one line. */
    private static String line(String text) {
        return text.replaceAll("\\p{Cntrl}|\\R", " ").strip();
    }

    /** Returns what was found, short and on one line. */
    static String quoted(String found) {
        String line = line(found);
        return "'" + (line.length() > 60 ? line.substring(0, 60) + "..." : line) + "'";
    }
}

package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.Plan;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of a device's tuned file, {@code docs/tune.md}: a header that says for which device and how fast it is, and a line for
 * each entry. Nothing is believed when it is read: every field stands in its place and every number in its range, or all of the text is refused.
 */
final class TunedText {
    private static final String FORMAT = "cellfuse-tuned";
    private static final int VERSION = 3;
    private static final String EACH_TILE = "each-tile";
    private static final String NOT_STAGED = "no";
    private static final Pattern STAGING = Pattern.compile("(\\d{1,4})x(\\d{1,4})x(\\d{1,4})");
    private static final Pattern GROUPS = Pattern.compile("(\\d{1,6})x(\\d{1,6})");
    private static final int MAX_SIZE = 1 << 24;
    private static final int MAX_ENTRIES = 10_000;
    private static final List<String> FIELDS = List.of(
            "inputs",
            "recurrent",
            "units",
            "directions",
            "weights",
            "rows",
            "steps",
            "plan",
            "tile",
            "gates",
            "prefetch",
            "hoisted",
            "groups",
            "staging",
            "ahead");

    private TunedText() {}

    /** The text is there, but it is not what it should be; the message names the field, what was expected and what was found. */
    static final class Unusable extends IOException {
        private static final long serialVersionUID = 1L;

        Unusable(String field, Object expected, Object found) {
            super(field + ": expected " + expected + ", found " + found);
        }
    }

    /** Floating-point numbers are written so, and no other way is read. */
    private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,9}\\.[0-9]{1,6}");

    /** The lines of the device's speed: a name, and what one of it is in the units of {@link DeviceSpeed}. */
    private enum Speed {
        FMA_PEAK("fma-peak-gflops", 1e9),
        NEAR("core-near-gbytes-per-s", 1e9),
        FAR("core-far-gbytes-per-s", 1e9),
        COPY("copy-gbytes-per-s", 1e9),
        LAUNCH("launch-us", 1e-6);

        private final String title;
        private final double unit;

        Speed(String title, double unit) {
            this.title = title;
            this.unit = unit;
        }

        private double of(DeviceSpeed speed) {
            return switch (this) {
                case FMA_PEAK -> speed.flops();
                case NEAR -> speed.near();
                case FAR -> speed.far();
                case COPY -> speed.memory();
                case LAUNCH -> speed.launch();
            };
        }
    }

    /** Lines before the first entry. */
    private static final int HEADERS = 6 + Speed.values().length;

    static String write(Capabilities device, Tuned tuned) {
        StringBuilder text = new StringBuilder();
        text.append(FORMAT).append(' ').append(VERSION).append('\n');
        text.append("device ").append(line(device.name())).append('\n');
        text.append("driver ").append(line(device.driverVersion())).append('\n');
        text.append("compute-units ").append(device.computeUnits()).append('\n');
        text.append("kernels ").append(KernelSource.fingerprint()).append('\n');
        for (Speed line : Speed.values()) {
            text.append(String.format(Locale.ROOT, "%s %.3f\n", line.title, line.of(tuned.speed()) / line.unit));
        }
        text.append("entries ").append(tuned.entries().size()).append('\n');
        tuned.entries().forEach(entry -> text.append(write(entry)).append('\n'));
        return text.toString();
    }

    private static String write(TunedEntry entry) {
        Candidate candidate = entry.candidate();
        SequenceGroups groups = candidate.groups();
        List<Object> values = List.of(
                entry.layer().inputs(),
                entry.layer().recurrent(),
                entry.layer().units(),
                entry.layer().directions(),
                entry.layer().weights(),
                entry.rows(),
                entry.steps(),
                candidate.plan().name().toLowerCase(Locale.ROOT),
                candidate.rows(),
                candidate.gates(),
                candidate.prefetch(),
                candidate.hoisted() ? "yes" : "no",
                groups.equals(SequenceGroups.EACH_TILE) ? EACH_TILE : groups.rows() + "x" + groups.units(),
                candidate.staging().equals(Staging.NONE) ? NOT_STAGED : candidate.staging(),
                entry.ahead());
        StringJoiner line = new StringJoiner(" ");
        for (int k = 0; k < FIELDS.size(); k++) {
            line.add(FIELDS.get(k) + "=" + values.get(k));
        }
        return line.toString();
    }

    /**
     * The content of {@code text}.
     *
     * @throws Unusable when it is damaged, of another version, or for another device, driver or other kernels than {@code device} has
     */
    static Tuned read(String text, Capabilities device) throws Unusable {
        String[] lines = text.split("\\R", -1);
        String version = header(lines, 0, FORMAT);
        if (!version.equals(Integer.toString(VERSION))) {
            throw new Unusable("version", VERSION, quoted(version));
        }
        same("device", line(device.name()), header(lines, 1, "device"));
        same("driver", line(device.driverVersion()), header(lines, 2, "driver"));
        same("compute-units", Integer.toString(device.computeUnits()), header(lines, 3, "compute-units"));
        same("kernels", KernelSource.fingerprint(), header(lines, 4, "kernels"));
        double[] speeds = new double[Speed.values().length];
        for (Speed line : Speed.values()) {
            int at = line.ordinal();
            speeds[at] = decimal(line.title, header(lines, 5 + at, line.title)) * line.unit;
        }
        int count = number("entries", header(lines, HEADERS - 1, "entries"), 0, MAX_ENTRIES);
        // A cut file ends without its last line break, or lacks lines.
        int found = lines.length - HEADERS - 1;
        if (found != count || !lines[lines.length - 1].isEmpty()) {
            throw new Unusable("entries", count + " whole lines", Math.max(0, found));
        }
        List<TunedEntry> entries = new ArrayList<>();
        for (int k = 0; k < count; k++) {
            entries.add(entry(lines[HEADERS + k], HEADERS + k + 1));
        }
        return new Tuned(new DeviceSpeed(speeds[0], speeds[1], speeds[2], speeds[3], speeds[4]), entries);
    }

    private static TunedEntry entry(String line, int number) throws Unusable {
        String at = "line " + number + ", ";
        String[] words = line.split(" ", -1);
        if (words.length != FIELDS.size()) {
            throw new Unusable("line " + number, FIELDS.size() + " fields", words.length);
        }
        Map<String, String> values = new HashMap<>();
        for (int k = 0; k < words.length; k++) {
            String field = FIELDS.get(k);
            if (!words[k].startsWith(field + "=")) {
                throw new Unusable("line " + number, field + "=...", quoted(words[k]));
            }
            values.put(field, words[k].substring(field.length() + 1));
        }
        Plan plan = plan(at + "plan", values.get("plan"));
        boolean hoisted = hoisted(at + "hoisted", plan, values.get("hoisted"));
        Candidate candidate = new Candidate(
                plan,
                number(at + "tile", values.get("tile"), 1, Candidate.MAX_ROWS),
                gates(at + "gates", values.get("gates")),
                number(at + "prefetch", values.get("prefetch"), 0, Candidate.MAX_PREFETCH),
                hoisted,
                groups(at + "groups", plan, values.get("groups")),
                staging(at + "staging", values.get("staging")));
        return new TunedEntry(
                new LayerSize(
                        number(at + "inputs", values.get("inputs"), 1, MAX_SIZE),
                        number(at + "recurrent", values.get("recurrent"), 1, MAX_SIZE),
                        number(at + "units", values.get("units"), 1, MAX_SIZE),
                        number(at + "directions", values.get("directions"), 1, 2),
                        weights(at + "weights", values.get("weights"))),
                number(at + "rows", values.get("rows"), 1, Integer.MAX_VALUE),
                number(at + "steps", values.get("steps"), 1, Integer.MAX_VALUE),
                candidate,
                number(at + "ahead", values.get("ahead"), 0, 100));
    }

    private static Plan plan(String field, String value) throws Unusable {
        for (Plan plan : Plan.values()) {
            if (plan.name().toLowerCase(Locale.ROOT).equals(value)) {
                return plan;
            }
        }
        throw new Unusable(field, "separate, fused, hoisted or sequence", quoted(value));
    }

    private static WeightPrecision weights(String field, String value) throws Unusable {
        for (WeightPrecision weights : WeightPrecision.values()) {
            if (weights.toString().equals(value)) {
                return weights;
            }
        }
        throw new Unusable(field, "f32, f16 or bf16", quoted(value));
    }

    private static int gates(String field, String value) throws Unusable {
        if (!value.equals("2") && !value.equals("4")) {
            throw new Unusable(field, "2 or 4", quoted(value));
        }
        return Integer.parseInt(value);
    }

    private static boolean hoisted(String field, Plan plan, String value) throws Unusable {
        String expected = switch (plan) {
            case HOISTED -> "yes";
            case SEQUENCE -> "yes or no";
            case FUSED, SEPARATE -> "no";
        };
        if (!List.of(expected.split(" or ")).contains(value)) {
            throw new Unusable(field, expected, quoted(value));
        }
        return value.equals("yes");
    }

    private static SequenceGroups groups(String field, Plan plan, String value) throws Unusable {
        if (value.equals(EACH_TILE)) {
            return SequenceGroups.EACH_TILE;
        }
        Matcher matcher = GROUPS.matcher(value);
        if (plan != Plan.SEQUENCE || !matcher.matches()) {
            throw new Unusable(
                    field, EACH_TILE + (plan == Plan.SEQUENCE ? " or two numbers such as 1x2" : ""), quoted(value));
        }
        return new SequenceGroups(
                number(field, matcher.group(1), 1, Integer.MAX_VALUE),
                number(field, matcher.group(2), 1, Integer.MAX_VALUE));
    }

    private static Staging staging(String field, String value) throws Unusable {
        if (value.equals(NOT_STAGED)) {
            return Staging.NONE;
        }
        Matcher matcher = STAGING.matcher(value);
        if (!matcher.matches()) {
            throw new Unusable(field, NOT_STAGED + " or three numbers such as 8x16x8", quoted(value));
        }
        return new Staging(
                number(field, matcher.group(1), 1, Staging.MOST),
                number(field, matcher.group(2), 1, Staging.MOST),
                number(field, matcher.group(3), 1, Staging.MOST));
    }

    private static String header(String[] lines, int number, String field) throws Unusable {
        String found = number < lines.length ? lines[number] : "";
        if (!found.startsWith(field + " ")) {
            throw new Unusable("line " + (number + 1), "'" + field + " ...'", quoted(found));
        }
        return found.substring(field.length() + 1);
    }

    private static void same(String field, String expected, String found) throws Unusable {
        if (!found.equals(expected)) {
            throw new Unusable(field, quoted(expected), quoted(found));
        }
    }

    private static int number(String field, String value, int least, int most) throws Unusable {
        try {
            // Digits alone: parseInt also takes signs and other scripts' digits.
            if (value.matches("[0-9]{1,10}")) {
                int number = Integer.parseInt(value);
                if (number >= least && number <= most) {
                    return number;
                }
            }
        } catch (NumberFormatException tooLarge) {
            // Refused below.
        }
        throw new Unusable(field, least + " to " + most, quoted(value));
    }

    private static double decimal(String field, String value) throws Unusable {
        if (DECIMAL.matcher(value).matches() && Double.parseDouble(value) > 0) {
            return Double.parseDouble(value);
        }
        throw new Unusable(field, "a number above 0 such as 12.345", quoted(value));
    }

    /** What a driver says, on one line. */
    private static String line(String text) {
        return text.replaceAll("\\p{Cntrl}|\\R", " ").strip();
    }

    /** Whatever stands in the file, short and on one line. */
    private static String quoted(String found) {
        String line = line(found);
        return "'" + (line.length() > 60 ? line.substring(0, 60) + "..." : line) + "'";
    }
}

package io.github.cellfuse.cli;

import java.util.Locale;

/** Formats numbers for people. */
public final class Numbers {
    private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

    private Numbers() {}

    /** Returns a number with its noun: {@code 1 row}, {@code 240 rows}. */
    public static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    /** Returns a rate with three significant digits, at most three decimals, and no exponent. */
    public static String rate(double value) {
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** Returns the bits of a value, such as {@code 0x3f800000}. Every NaN is {@code 0x7fc00000}. */
    public static String bits(float value) {
        return String.format(Locale.ROOT, "0x%08x", Float.floatToIntBits(value));
    }

    /** Returns a number of bytes, such as {@code 51.0 KiB}. */
    public static String bytes(long count) {
        double value = count;
        int unit = 0;
        while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, BYTE_UNITS[unit]);
    }
}

package io.github.cellfuse.format.file;

import io.github.cellfuse.spi.HalfPrecision;
import java.nio.ByteBuffer;

/** Elements of one type as elements of another, in any byte orders. */
public interface ElementConversion {

    /**
     * Converts all of {@code source}; {@code target} has the same number of elements. Their positions are undefined
     * afterwards.
     */
    void convert(ByteBuffer source, ByteBuffer target);

    /** Throws for conversions that would be a guess: floats to integers, floats to truth values. */
    static ElementConversion of(ElementType from, ElementType to, Object label) {
        if (from == to) {
            return (source, target) -> copy(to, source, target);
        }
        if (to.isFloat()) {
            return toFloats(from, to);
        }
        if (from.isFloat()) {
            throw Problems.invalid(
                    label,
                    "dtype: expected " + to + ", found " + from + "; convert it with array.astype(np." + to + ")");
        }
        return toIntegers(from, to, label);
    }

    private static ElementConversion toFloats(ElementType from, ElementType to) {
        return (source, target) -> {
            for (int at = 0, k = 0; at < source.limit(); at += from.bytes(), k += to.bytes()) {
                switch (to) {
                    case FLOAT32 -> target.putFloat(k, from.toFloat().read(source, at));
                    case FLOAT16 ->
                        target.putShort(
                                k, HalfPrecision.floatToFloat16(from.toFloat().read(source, at)));
                    case BFLOAT16 ->
                        target.putShort(
                                k, HalfPrecision.floatToBfloat16(from.toFloat().read(source, at)));
                    default -> target.putDouble(k, toDouble(from, source, at));
                }
            }
        };
    }

    private static double toDouble(ElementType from, ByteBuffer source, int at) {
        if (!from.isInteger()) {
            return from.toFloat().read(source, at);
        }
        long value = from.toLong().read(source, at);
        if (from != ElementType.UINT64 || value >= 0) {
            return value;
        }
        return 2.0 * (value >>> 1 | value & 1); // halved, the lost bit kept as a sticky one
    }

    private static ElementConversion toIntegers(ElementType from, ElementType to, Object label) {
        return (source, target) -> {
            for (int at = 0, k = 0; at < source.limit(); at += from.bytes(), k += to.bytes()) {
                long value = from == ElementType.BOOL
                        ? (source.get(at) == 0 ? 0 : 1)
                        : from.toLong().read(source, at);
                if (!fits(value, from, to)) {
                    throw Problems.invalid(
                            label,
                            "expected values that " + to + " holds, found "
                                    + (from == ElementType.UINT64 ? Long.toUnsignedString(value) : value));
                }
                switch (to.bytes()) {
                    case 1 -> target.put(k, (byte) value);
                    case 2 -> target.putShort(k, (short) value);
                    case 4 -> target.putInt(k, (int) value);
                    default -> target.putLong(k, value);
                }
            }
        };
    }

    private static boolean fits(long value, ElementType from, ElementType to) {
        if (from == ElementType.UINT64 && value < 0) {
            return false; // more than a long, and uint64 to uint64 is a copy
        }
        return switch (to) {
            case BOOL -> value == 0 || value == 1;
            case INT8 -> value == (byte) value;
            case UINT8 -> value == (value & 0xFF);
            case INT16 -> value == (short) value;
            case UINT16 -> value == (value & 0xFFFF);
            case INT32 -> value == (int) value;
            case UINT32 -> value == (value & 0xFFFF_FFFFL);
            case UINT64 -> value >= 0;
            default -> true;
        };
    }

    /** Copies elements of one type from one byte order to another. */
    static void copy(ElementType type, ByteBuffer source, ByteBuffer target) {
        switch (type.bytes()) {
            case 1 -> target.duplicate().put(source.duplicate());
            case 2 -> target.asShortBuffer().put(source.asShortBuffer());
            case 4 -> target.asIntBuffer().put(source.asIntBuffer());
            default -> target.asLongBuffer().put(source.asLongBuffer());
        }
    }
}

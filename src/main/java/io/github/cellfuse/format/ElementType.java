package io.github.cellfuse.format;

import io.github.cellfuse.HalfPrecision;
import java.nio.ByteBuffer;

/**
 * The number types that files hold and how each becomes a float32: exactly where float32 has the value, else rounded to the
 * nearest (ties to even; beyond the largest float32 to infinity). NaN, the infinities and -0 are kept.
 */
public enum ElementType {
    FLOAT16("float16", 2, (bytes, at) -> HalfPrecision.float16ToFloat(bytes.getShort(at))),
    BFLOAT16("bfloat16", 2, (bytes, at) -> HalfPrecision.bfloat16ToFloat(bytes.getShort(at))),
    FLOAT32("float32", 4, ByteBuffer::getFloat),
    FLOAT64("float64", 8, (bytes, at) -> (float) bytes.getDouble(at)),
    INT8("int8", 1, ByteBuffer::get, ByteBuffer::get),
    INT16("int16", 2, ByteBuffer::getShort, ByteBuffer::getShort),
    INT32("int32", 4, ByteBuffer::getInt, ByteBuffer::getInt),
    INT64("int64", 8, ByteBuffer::getLong, ByteBuffer::getLong),
    UINT8("uint8", 1, (bytes, at) -> bytes.get(at) & 0xFF, (bytes, at) -> bytes.get(at) & 0xFF),
    UINT16("uint16", 2, ByteBuffer::getChar, ByteBuffer::getChar),
    UINT32(
            "uint32",
            4,
            (bytes, at) -> Integer.toUnsignedLong(bytes.getInt(at)),
            (bytes, at) -> Integer.toUnsignedLong(bytes.getInt(at))),
    /** As an integer: values above the largest long come out negative. */
    UINT64("uint64", 8, (bytes, at) -> unsignedToFloat(bytes.getLong(at)), ByteBuffer::getLong),
    /** Any byte but 0 is true. */
    BOOL("bool", 1, (bytes, at) -> bytes.get(at) == 0 ? 0f : 1f);

    /** Reads one element at a byte index, in the buffer's byte order. */
    public interface ToFloat {
        float read(ByteBuffer bytes, int index);
    }

    /** Reads one integer at a byte index, in the buffer's byte order. */
    public interface ToLong {
        long read(ByteBuffer bytes, int index);
    }

    private final String label;
    private final int bytes;
    private final ToFloat toFloat;
    private final ToLong toLong;

    ElementType(String label, int bytes, ToFloat toFloat) {
        this(label, bytes, toFloat, null);
    }

    ElementType(String label, int bytes, ToFloat toFloat, ToLong toLong) {
        this.label = label;
        this.bytes = bytes;
        this.toFloat = toFloat;
        this.toLong = toLong;
    }

    /** The size of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether {@link #toLong} serves it. */
    public boolean isInteger() {
        return toLong != null;
    }

    /** How an element is read as a float32. */
    public ToFloat toFloat() {
        return toFloat;
    }

    /** Only for integers. */
    public ToLong toLong() {
        return toLong;
    }

    @Override
    public String toString() {
        return label;
    }

    /** An unsigned 64-bit integer to the nearest float32. */
    static float unsignedToFloat(long value) {
        if (value >= 0) {
            return value;
        }
        // Halved, with the lost bit kept as a sticky one, so that the one rounding below is the right one.
        return 2f * (value >>> 1 | value & 1);
    }
}

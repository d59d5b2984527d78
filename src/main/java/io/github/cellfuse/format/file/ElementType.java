package io.github.cellfuse.format.file;

import io.github.cellfuse.spi.HalfPrecision;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * The number types that files hold and how each becomes a float32: exactly where float32 has the value, else rounded to
 * the nearest (ties to even; beyond the largest float32 to infinity). NaN, the infinities and -0 are kept.
 */
public enum ElementType {
    FLOAT16("float16", "<f2", 2, (bytes, at) -> HalfPrecision.float16ToFloat(bytes.getShort(at))),
    BFLOAT16("bfloat16", null, 2, (bytes, at) -> HalfPrecision.bfloat16ToFloat(bytes.getShort(at))),
    FLOAT32("float32", "<f4", 4, ByteBuffer::getFloat),
    FLOAT64("float64", "<f8", 8, (bytes, at) -> (float) bytes.getDouble(at)),
    INT8("int8", "|i1", 1, ByteBuffer::get, ByteBuffer::get),
    INT16("int16", "<i2", 2, ByteBuffer::getShort, ByteBuffer::getShort),
    INT32("int32", "<i4", 4, ByteBuffer::getInt, ByteBuffer::getInt),
    INT64("int64", "<i8", 8, ByteBuffer::getLong, ByteBuffer::getLong),
    UINT8("uint8", "|u1", 1, (bytes, at) -> bytes.get(at) & 0xFF, (bytes, at) -> bytes.get(at) & 0xFF),
    UINT16("uint16", "<u2", 2, ByteBuffer::getChar, ByteBuffer::getChar),
    UINT32(
            "uint32",
            "<u4",
            4,
            (bytes, at) -> Integer.toUnsignedLong(bytes.getInt(at)),
            (bytes, at) -> Integer.toUnsignedLong(bytes.getInt(at))),
    /** As an integer: values above the largest long come out negative. */
    UINT64("uint64", "<u8", 8, (bytes, at) -> unsignedToFloat(bytes.getLong(at)), ByteBuffer::getLong),
    /** Any byte but 0 is true. */
    BOOL("bool", "|b1", 1, (bytes, at) -> bytes.get(at) == 0 ? 0f : 1f);

    /** Reads one element at a byte index, in the buffer's byte order. */
    public interface ToFloat {
        float read(ByteBuffer bytes, int index);
    }

    /** Reads one integer at a byte index, in the buffer's byte order. */
    public interface ToLong {
        long read(ByteBuffer bytes, int index);
    }

    private final String label;
    private final String descr;
    private final int bytes;
    private final ToFloat toFloat;
    private final ToLong toLong;

    ElementType(String label, String descr, int bytes, ToFloat toFloat) {
        this(label, descr, bytes, toFloat, null);
    }

    ElementType(String label, String descr, int bytes, ToFloat toFloat, ToLong toLong) {
        this.label = label;
        this.descr = descr;
        this.bytes = bytes;
        this.toFloat = toFloat;
        this.toLong = toLong;
    }

    /** Returns the size of one element. */
    public int bytes() {
        return bytes;
    }

    /** Returns whether it is an integer of 8 to 64 bits, with or without a sign; bool isn't. */
    public boolean isInteger() {
        return toLong != null;
    }

    /** Returns whether it is a floating-point number. */
    public boolean isFloat() {
        return toLong == null && this != BOOL;
    }

    /** NumPy's name of its little-endian form, such as {@code <f4}; none for bfloat16, which NumPy doesn't have. */
    public Optional<String> descr() {
        return Optional.ofNullable(descr);
    }

    /** Returns the function that reads an element as a float32. */
    public ToFloat toFloat() {
        return toFloat;
    }

    /** Converts what remains of {@code source}, whole elements in its byte order, into as many of {@code target}. */
    public void toFloats(ByteBuffer source, FloatBuffer target) {
        if (this == FLOAT32) {
            target.put(source.asFloatBuffer());
            return;
        }
        for (int at = source.position(); at < source.limit(); at += bytes) {
            target.put(toFloat.read(source, at));
        }
    }

    /** Only for integers. */
    public ToLong toLong() {
        return toLong;
    }

    /** NumPy's name: {@code float32}, {@code int64}, {@code bool}. */
    @Override
    public String toString() {
        return label;
    }

    /** Rounds an unsigned 64-bit integer to the nearest float32. */
    static float unsignedToFloat(long value) {
        if (value >= 0) {
            return value;
        }
        // Halved, with the lost bit kept as a sticky bit, so that the only rounding, below, is correct.
        return 2f * (value >>> 1 | value & 1);
    }
}

package io.github.cellfuse.format.keras;

import io.github.cellfuse.HalfPrecision;
import io.jhdf.object.datatype.DataType;
import io.jhdf.object.datatype.FloatingPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * How a float stands in an HDF5 file.
 *
 * @param bytes of one
 * @param order of its bytes
 * @param element reads one at a byte position
 */
record FloatKind(int bytes, ByteOrder order, Element element) {
    /** Reads a float at byte {@code at}: exact, or rounded to the nearest. */
    interface Element {
        float read(ByteBuffer from, int at);
    }

    /** The kind of an array's type; empty for what isn't IEEE's float16, float32 or float64. */
    static Optional<FloatKind> of(DataType type) {
        if (!(type instanceof FloatingPoint floating)) {
            return Optional.empty();
        }
        // Sizes alone would take another format's bits for IEEE's.
        int layout = floating.getExponentSize() << 8 | floating.getMantissaSize();
        Element element = switch (type.getSize()) {
            case Short.BYTES ->
                layout == (5 << 8 | 10) ? (from, at) -> HalfPrecision.float16ToFloat(from.getShort(at)) : null;
            case Float.BYTES -> layout == (8 << 8 | 23) ? ByteBuffer::getFloat : null;
            case Double.BYTES -> layout == (11 << 8 | 52) ? (from, at) -> (float) from.getDouble(at) : null;
            default -> null;
        };
        return element == null
                ? Optional.empty()
                : Optional.of(new FloatKind(type.getSize(), floating.getByteOrder(), element));
    }

    /** Fills {@code values} from the first byte of {@code data} on. */
    void read(ByteBuffer data, float[] values) {
        ByteBuffer from = data.slice().order(order);
        if (bytes == Float.BYTES) {
            from.asFloatBuffer().get(values);
            return;
        }
        for (int k = 0; k < values.length; k++) {
            values[k] = element.read(from, k * bytes);
        }
    }
}

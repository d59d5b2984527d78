package io.github.cellfuse.format.keras;

import io.github.cellfuse.format.file.ElementType;
import io.jhdf.object.datatype.DataType;
import io.jhdf.object.datatype.FloatingPoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The representation of a float in an HDF5 file.
 *
 * @param type which of IEEE's it is
 * @param order of its bytes
 */
record FloatKind(ElementType type, ByteOrder order) {

    /** Returns the kind of an array's type; empty for what isn't IEEE's float16, float32 or float64. */
    static Optional<FloatKind> of(DataType type) {
        if (!(type instanceof FloatingPoint floating)) {
            return Optional.empty();
        }
        ElementType element = switch (type.getSize()) {
            case 2 -> with(ElementType.FLOAT16, floating, 5, 10);
            case 4 -> with(ElementType.FLOAT32, floating, 8, 23);
            case 8 -> with(ElementType.FLOAT64, floating, 11, 52);
            default -> null;
        };
        return Optional.ofNullable(element).map(known -> new FloatKind(known, floating.getByteOrder()));
    }

    /**
     * Returns {@code type} if its bits are laid out like IEEE's: by size alone, bfloat16 would be taken for float16.
     */
    private static ElementType with(ElementType type, FloatingPoint found, int exponent, int mantissa) {
        return found.getExponentSize() == exponent && found.getMantissaSize() == mantissa ? type : null;
    }

    /** Fills {@code values} from the first byte of {@code data} on: exactly, or rounded to the nearest. */
    void read(ByteBuffer data, float[] values) {
        ByteBuffer from = data.slice().order(order);
        if (type == ElementType.FLOAT32) {
            from.asFloatBuffer().get(values);
            return;
        }
        for (int k = 0; k < values.length; k++) {
            values[k] = type.toFloat().read(from, k * type.bytes());
        }
    }
}

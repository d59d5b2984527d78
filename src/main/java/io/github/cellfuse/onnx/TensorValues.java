package io.github.cellfuse.onnx;

import io.github.cellfuse.format.file.ElementType;
import java.nio.ByteBuffer;

/**
 * The values of a tensor in C order, as the bytes from the file.
 *
 * @param type the type of the values
 * @param bytes little-endian, from index 0 to the limit
 */
record TensorValues(TensorType type, ByteBuffer bytes) {
    int count() {
        return bytes.limit() / type.element().bytes();
    }

    float[] floats() {
        float[] values = new float[count()];
        floats(0, values, 0, values.length);
        return values;
    }

    /** Copies {@code count} values, from index {@code first} on, to {@code target} as float32. */
    void floats(int first, float[] target, int at, int count) {
        int size = type.element().bytes();
        if (type == TensorType.FLOAT) {
            bytes.slice(first * size, count * size)
                    .order(bytes.order())
                    .asFloatBuffer()
                    .get(target, at, count);
            return;
        }
        ElementType.ToFloat element = type.element().toFloat();
        for (int k = 0; k < count; k++) {
            target[at + k] = element.read(bytes, (first + k) * size);
        }
    }

    long[] longs() {
        long[] values = new long[count()];
        int size = type.element().bytes();
        for (int k = 0; k < values.length; k++) {
            values[k] = type == TensorType.BOOL
                    ? bytes.get(k) == 0 ? 0 : 1
                    : type.element().toLong().read(bytes, k * size);
        }
        return values;
    }

    /** Returns whether every value is +0, whose bits are zeros in every type. */
    boolean isZero() {
        for (int k = 0; k < bytes.limit(); k++) {
            if (bytes.get(k) != 0) {
                return false;
            }
        }
        return true;
    }
}

package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** The number types of tensors, with their names in the format and the typed field that holds their values. */
public enum TensorType {
    FLOAT(1, ElementType.FLOAT32, Field.FLOAT_DATA),
    UINT8(2, ElementType.UINT8, Field.INT32_DATA),
    INT8(3, ElementType.INT8, Field.INT32_DATA),
    UINT16(4, ElementType.UINT16, Field.INT32_DATA),
    INT16(5, ElementType.INT16, Field.INT32_DATA),
    INT32(6, ElementType.INT32, Field.INT32_DATA),
    INT64(7, ElementType.INT64, Field.INT64_DATA),
    BOOL(9, ElementType.BOOL, Field.INT32_DATA),
    FLOAT16(10, ElementType.FLOAT16, Field.INT32_DATA),
    DOUBLE(11, ElementType.FLOAT64, Field.DOUBLE_DATA),
    UINT32(12, ElementType.UINT32, Field.UINT64_DATA),
    UINT64(13, ElementType.UINT64, Field.UINT64_DATA),
    BFLOAT16(16, ElementType.BFLOAT16, Field.INT32_DATA);

    /** A typed field of a tensor: it holds the values one by one if {@code raw_data} doesn't. */
    private enum Field {
        FLOAT_DATA,
        INT32_DATA,
        INT64_DATA,
        DOUBLE_DATA,
        UINT64_DATA;

        int count(TensorProto tensor) {
            return switch (this) {
                case FLOAT_DATA -> tensor.getFloatDataCount();
                case INT32_DATA -> tensor.getInt32DataCount();
                case INT64_DATA -> tensor.getInt64DataCount();
                case DOUBLE_DATA -> tensor.getDoubleDataCount();
                case UINT64_DATA -> tensor.getUint64DataCount();
            };
        }

        long bits(TensorProto tensor, int k) {
            return switch (this) {
                case FLOAT_DATA -> Float.floatToRawIntBits(tensor.getFloatData(k));
                case INT32_DATA -> tensor.getInt32Data(k);
                case INT64_DATA -> tensor.getInt64Data(k);
                case DOUBLE_DATA -> Double.doubleToRawLongBits(tensor.getDoubleData(k));
                case UINT64_DATA -> tensor.getUint64Data(k);
            };
        }
    }

    private final int code;
    private final ElementType element;
    private final Field field;

    TensorType(int code, ElementType element, Field field) {
        this.code = code;
        this.element = element;
        this.field = field;
    }

    /** Returns the type with this number in the format, or nothing for strings and unknown types. */
    public static Optional<TensorType> of(int code) {
        for (TensorType type : values()) {
            if (type.code == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Returns the tensor type for these elements. */
    public static TensorType of(ElementType element) {
        for (TensorType type : values()) {
            if (type.element == element) {
                return type;
            }
        }
        throw new IllegalArgumentException(element + " has no number in the format");
    }

    /** Returns the type's number in the format. */
    public int code() {
        return code;
    }

    /** Returns the type of the elements. */
    public ElementType element() {
        return element;
    }

    boolean isFloat() {
        return this == FLOAT || this == FLOAT16 || this == BFLOAT16 || this == DOUBLE;
    }

    boolean isInteger() {
        return element.isInteger() || this == BOOL;
    }

    /** Returns the number of values in the typed field of this type. */
    int typedCount(TensorProto tensor) {
        return field.count(tensor);
    }

    /** Returns the number of values in all typed fields. */
    static long typedCounts(TensorProto tensor) {
        long count = tensor.getStringDataCount();
        for (Field field : Field.values()) {
            count += field.count(tensor);
        }
        return count;
    }

    /**
     * Returns the typed field's values in the format of {@code raw_data}, or nothing if a value is out of the type's
     * range.
     */
    Optional<ByteString> toRaw(TensorProto tensor) {
        int count = typedCount(tensor), bits = element.bytes() * Byte.SIZE;
        ByteBuffer raw = ByteBuffer.allocate(count * element.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int k = 0; k < count; k++) {
            long value = field.bits(tensor, k);
            boolean fits =
                    field == Field.FLOAT_DATA || bits == Long.SIZE || value >= -(1L << bits - 1) && value < 1L << bits;
            if (!fits) {
                return Optional.empty();
            }
            switch (element.bytes()) {
                case 1 -> raw.put((byte) value);
                case 2 -> raw.putShort((short) value);
                case 4 -> raw.putInt((int) value);
                default -> raw.putLong(value);
            }
        }
        return Optional.of(ByteString.copyFrom(raw.flip()));
    }
}

package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** The number types of tensors, under their names in the format, and the field that holds their values where {@code raw_data} doesn't. */
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

    /** Where numbers are in the file, one by one. */
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

    /** Returns the type with this number in the format; none for strings and what isn't known here. */
    public static Optional<TensorType> of(int code) {
        for (TensorType type : values()) {
            if (type.code == code) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** Returns the type of these elements. */
    public static TensorType of(ElementType element) {
        for (TensorType type : values()) {
            if (type.element == element) {
                return type;
            }
        }
        throw new IllegalArgumentException(element + " has no number in the format");
    }

    /** Returns its number in the format. */
    public int code() {
        return code;
    }

    /** Returns what its elements are. */
    public ElementType element() {
        return element;
    }

    boolean isFloat() {
        return this == FLOAT || this == FLOAT16 || this == BFLOAT16 || this == DOUBLE;
    }

    boolean isInteger() {
        return element.isInteger() || this == BOOL;
    }

    /** Returns the numbers in the typed field that belongs to this type. */
    int typedCount(TensorProto tensor) {
        return field.count(tensor);
    }

    /** Returns the numbers in all typed fields. */
    static long typedCounts(TensorProto tensor) {
        long count = tensor.getStringDataCount();
        for (Field field : Field.values()) {
            count += field.count(tensor);
        }
        return count;
    }

    /** Returns the typed field's values as {@code raw_data} has them; empty where one is beyond the type's range. */
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

package io.github.cellfuse.graph;

import io.github.cellfuse.format.ElementType;
import io.github.cellfuse.format.onnx.Onnx.TensorProto.DataType;
import io.github.cellfuse.format.onnx.Onnx.TypeProto;
import java.util.Locale;
import java.util.Optional;

/** ONNX's numbers for element types. */
final class OnnxTypes {
    private OnnxTypes() {}

    /** The type with ONNX's number {@code code}; none for strings and what isn't known here. */
    static Optional<ElementType> ofCode(int code) {
        DataType type = DataType.forNumber(code);
        if (type == null) {
            return Optional.empty();
        }
        return switch (type) {
            case FLOAT -> Optional.of(ElementType.FLOAT32);
            case DOUBLE -> Optional.of(ElementType.FLOAT64);
            case FLOAT16 -> Optional.of(ElementType.FLOAT16);
            case BFLOAT16 -> Optional.of(ElementType.BFLOAT16);
            case INT8 -> Optional.of(ElementType.INT8);
            case INT16 -> Optional.of(ElementType.INT16);
            case INT32 -> Optional.of(ElementType.INT32);
            case INT64 -> Optional.of(ElementType.INT64);
            case UINT8 -> Optional.of(ElementType.UINT8);
            case UINT16 -> Optional.of(ElementType.UINT16);
            case UINT32 -> Optional.of(ElementType.UINT32);
            case UINT64 -> Optional.of(ElementType.UINT64);
            case BOOL -> Optional.of(ElementType.BOOL);
            default -> Optional.empty();
        };
    }

    /** ONNX's number of {@code type}. */
    static int code(ElementType type) {
        return switch (type) {
            case FLOAT32 -> DataType.FLOAT_VALUE;
            case FLOAT64 -> DataType.DOUBLE_VALUE;
            case FLOAT16 -> DataType.FLOAT16_VALUE;
            case BFLOAT16 -> DataType.BFLOAT16_VALUE;
            case INT8 -> DataType.INT8_VALUE;
            case INT16 -> DataType.INT16_VALUE;
            case INT32 -> DataType.INT32_VALUE;
            case INT64 -> DataType.INT64_VALUE;
            case UINT8 -> DataType.UINT8_VALUE;
            case UINT16 -> DataType.UINT16_VALUE;
            case UINT32 -> DataType.UINT32_VALUE;
            case UINT64 -> DataType.UINT64_VALUE;
            case BOOL -> DataType.BOOL_VALUE;
        };
    }

    /** The type in words, of whatever kind it is. */
    static String describe(TypeProto type) {
        if (!type.hasTensorType()) {
            return "not a tensor";
        }
        return describe(type.getTensorType().getElemType());
    }

    /** The type with ONNX's number {@code code} in words. */
    static String describe(int code) {
        return ofCode(code).map(ElementType::toString).orElseGet(() -> {
            DataType known = DataType.forNumber(code);
            return known == null ? "element type " + code : known.name().toLowerCase(Locale.ROOT);
        });
    }
}

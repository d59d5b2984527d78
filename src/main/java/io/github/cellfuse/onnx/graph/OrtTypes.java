package io.github.cellfuse.onnx.graph;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo.OnnxTensorType;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import java.util.Optional;

/** Converts between element types and their names in ONNX Runtime. */
final class OrtTypes {
    private OrtTypes() {}

    /** Returns the name for making a tensor of a type that {@link OnnxTypes#canMake} accepts. */
    static OnnxJavaType javaType(ElementType type) {
        return switch (type) {
            case FLOAT32 -> OnnxJavaType.FLOAT;
            case FLOAT64 -> OnnxJavaType.DOUBLE;
            case FLOAT16 -> OnnxJavaType.FLOAT16;
            case BFLOAT16 -> OnnxJavaType.BFLOAT16;
            case INT8 -> OnnxJavaType.INT8;
            case INT16 -> OnnxJavaType.INT16;
            case INT32 -> OnnxJavaType.INT32;
            case INT64 -> OnnxJavaType.INT64;
            case UINT8 -> OnnxJavaType.UINT8;
            case BOOL -> OnnxJavaType.BOOL;
            case UINT16, UINT32, UINT64 ->
                throw new InvalidInputException("expected a type that ONNX Runtime takes from Java, found " + type);
        };
    }

    /** Returns ONNX's number of a type, or 0 if ONNX doesn't have the type. */
    static int code(OnnxTensorType type) {
        return switch (type) {
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> DataType.FLOAT_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> DataType.DOUBLE_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> DataType.FLOAT16_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> DataType.BFLOAT16_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 -> DataType.INT8_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16 -> DataType.INT16_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> DataType.INT32_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> DataType.INT64_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> DataType.UINT8_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16 -> DataType.UINT16_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32 -> DataType.UINT32_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64 -> DataType.UINT64_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> DataType.BOOL_VALUE;
            case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING -> DataType.STRING_VALUE;
            default -> DataType.UNDEFINED_VALUE;
        };
    }

    /** Returns CellFuse's name of a type, or nothing for strings and other types that {@link Tensor} can't hold. */
    static Optional<ElementType> elementType(OnnxTensorType type) {
        return OnnxTypes.ofCode(code(type));
    }
}

package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.TensorType;
import java.util.Locale;
import java.util.Optional;

/** Converts between element types and their numbers in ONNX, and describes types in messages. */
final class OnnxTypes {
    private OnnxTypes() {}

    /** Returns the type with ONNX's number {@code code}, or nothing for strings and unknown types. */
    static Optional<ElementType> ofCode(int code) {
        return TensorType.of(code).map(TensorType::element);
    }

    /** Returns ONNX's number of {@code type}. */
    static int code(ElementType type) {
        return TensorType.of(type).code();
    }

    /** Returns any type in words. */
    static String describe(TypeProto type) {
        if (!type.hasTensorType()) {
            return "not a tensor";
        }
        return describe(type.getTensorType().getElemType());
    }

    /** Returns the type with ONNX's number {@code code} in words. */
    static String describe(int code) {
        return ofCode(code).map(ElementType::toString).orElseGet(() -> {
            DataType known = DataType.forNumber(code);
            return known == null ? "element type " + code : known.name().toLowerCase(Locale.ROOT);
        });
    }
}

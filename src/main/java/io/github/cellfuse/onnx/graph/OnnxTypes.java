package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.TensorType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Converts between element types and their numbers in ONNX, and describes types in messages. */
final class OnnxTypes {
    /** The values that aren't dense tensors, by their field in a type. */
    private static final Map<Integer, String> OTHER_VALUES =
            Map.of(4, "sequence", 5, "map", 7, "opaque value", 8, "sparse tensor", 9, "optional value");

    private OnnxTypes() {}

    /** Returns whether ONNX Runtime's Java binding makes tensors of {@code type}: no unsigned integers except bytes. */
    static boolean canMake(ElementType type) {
        return type != ElementType.UINT16 && type != ElementType.UINT32 && type != ElementType.UINT64;
    }

    /** Returns whether a description is that of a dense tensor, which has a shape. */
    static boolean isTensor(String description) {
        return !OTHER_VALUES.containsValue(description);
    }

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
            return type.getUnknownFields().asMap().keySet().stream()
                    .flatMap(field -> Optional.ofNullable(OTHER_VALUES.get(field)).stream())
                    .findFirst()
                    .orElse("unknown type");
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

    /** Returns a value of a type and dimensions. */
    static ValueInfoProto declare(String name, ElementType type, TensorShapeProto.Dimension... dimensions) {
        TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder()
                .setElemType(code(type))
                .setShape(TensorShapeProto.newBuilder().addAllDim(List.of(dimensions)));
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    /** Returns a value of the type and dimensions of a tensor. */
    static ValueInfoProto declare(String name, Tensor tensor) {
        return declare(
                name,
                tensor.type(),
                Arrays.stream(tensor.shape())
                        .mapToObj(size -> TensorShapeProto.Dimension.newBuilder()
                                .setDimValue(size)
                                .build())
                        .toArray(TensorShapeProto.Dimension[]::new));
    }
}

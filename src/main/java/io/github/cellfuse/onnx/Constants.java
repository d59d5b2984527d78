package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The constant values of a graph. Implementations say whether they are thread safe. */
@FunctionalInterface
public interface Constants {
    /** Returns the value called {@code name} if it is constant. */
    Optional<TensorProto> find(String name);

    /**
     * Returns the constants that need no computation: initializers, including those that are an input's default, and
     * Constant nodes with a tensor, numbers or a single number. The result is immutable and thread safe.
     *
     * @param file the file's name in messages
     */
    static Constants of(Object file, GraphProto graph) {
        Map<String, TensorProto> constants = new HashMap<>();
        for (TensorProto initializer : graph.getInitializerList()) {
            constants.put(initializer.getName(), initializer);
        }
        for (OnnxNode node : OnnxNode.of(file, graph)) {
            if (node.is("Constant")) {
                node.output(0).ifPresent(name -> value(node).ifPresent(value -> constants.put(name, value)));
            }
        }
        return name -> Optional.ofNullable(constants.get(name));
    }

    /** Returns the value of a Constant node; nothing for a string. */
    static Optional<TensorProto> value(OnnxNode node) {
        Optional<AttributeProto> tensor = node.attribute("value", AttributeType.TENSOR);
        if (tensor.isPresent()) {
            return tensor.map(AttributeProto::getT);
        }
        TensorProto.Builder value = TensorProto.newBuilder();
        Optional<List<Long>> integers = node.integers("value_ints");
        if (integers.isPresent()) {
            return Optional.of(value.setDataType(TensorProto.DataType.INT64_VALUE)
                    .addDims(integers.get().size())
                    .addAllInt64Data(integers.get())
                    .build());
        }
        Optional<AttributeProto> numbers = node.attribute("value_floats", AttributeType.FLOATS);
        if (numbers.isPresent()) {
            return Optional.of(value.setDataType(TensorProto.DataType.FLOAT_VALUE)
                    .addDims(numbers.get().getFloatsCount())
                    .addAllFloatData(numbers.get().getFloatsList())
                    .build());
        }
        Optional<AttributeProto> integer = node.attribute("value_int", AttributeType.INT);
        if (integer.isPresent()) {
            return Optional.of(value.setDataType(TensorProto.DataType.INT64_VALUE)
                    .addInt64Data(integer.get().getI())
                    .build());
        }
        return node.number("value_float")
                .map(number -> value.setDataType(TensorProto.DataType.FLOAT_VALUE)
                        .addFloatData(number)
                        .build());
    }
}

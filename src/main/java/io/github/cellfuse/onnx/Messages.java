package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Builds the protobuf messages of written graphs: nodes, attributes and declared values. */
final class Messages {
    private Messages() {}

    /** Returns a node, named after its first output. */
    static NodeProto.Builder node(String type, List<String> inputs, String... outputs) {
        return NodeProto.newBuilder()
                .setName(type.toLowerCase(Locale.ROOT) + "_" + outputs[0])
                .setOpType(type)
                .addAllInput(inputs)
                .addAllOutput(List.of(outputs));
    }

    static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.INT)
                .setI(value)
                .build();
    }

    static AttributeProto integers(String name, long... values) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.INTS)
                .addAllInts(Arrays.stream(values).boxed().toList())
                .build();
    }

    static AttributeProto text(String name, String text) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.STRING)
                .setS(ByteString.copyFromUtf8(text))
                .build();
    }

    static AttributeProto texts(String name, List<String> texts) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.STRINGS)
                .addAllStrings(texts.stream().map(ByteString::copyFromUtf8).toList())
                .build();
    }

    /** Returns the declaration of an input or output. A dimension is a size (Integer) or a name (String). */
    static ValueInfoProto value(String name, TensorType type, Object... dimensions) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dimension : dimensions) {
            TensorShapeProto.Dimension.Builder one = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(
                    dimension instanceof Integer size ? one.setDimValue(size) : one.setDimParam((String) dimension));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.code())
                                .setShape(shape)))
                .build();
    }

    /** Adds an attribute with a list of floats, unless the list is empty. */
    static void numbers(NodeProto.Builder node, String name, List<Float> values) {
        if (!values.isEmpty()) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeType.FLOATS)
                    .addAllFloats(values));
        }
    }
}

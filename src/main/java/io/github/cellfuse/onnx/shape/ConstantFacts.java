package io.github.cellfuse.onnx.shape;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.OnnxTensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the facts of constants. */
final class ConstantFacts {
    /** Above it, not every whole number has its own float32. */
    static final long LARGEST_WHOLE = 1 << 24;

    private ConstantFacts() {}

    static TensorFacts of(TensorProto tensor, OnnxTensors tensors) {
        List<Size> dims = tensor.getDimsList().stream().map(Size::of).toList();
        TensorFacts facts = TensorFacts.of(dims);
        long count = dims.stream().mapToLong(Size::factor).reduce(1, (a, b) -> a * b);
        if (count < 0 || count > TensorFacts.MOST_ELEMENTS) {
            return facts;
        }
        return switch (tensor.getDataType()) {
            case TensorProto.DataType.INT64_VALUE, TensorProto.DataType.INT32_VALUE, TensorProto.DataType.BOOL_VALUE ->
                facts.withElements(sizes(tensors.longs(tensor)));
            // Older exporters compute sizes in floats.
            case TensorProto.DataType.FLOAT_VALUE -> whole(facts, tensors.bytes(tensor), Float.BYTES);
            case TensorProto.DataType.DOUBLE_VALUE -> whole(facts, tensors.bytes(tensor), Double.BYTES);
            default -> facts;
        };
    }

    private static List<Size> sizes(long[] values) {
        List<Size> sizes = new ArrayList<>();
        for (long value : values) {
            sizes.add(Size.of(value));
        }
        return sizes;
    }

    /** Adds the elements if they are whole numbers. */
    private static TensorFacts whole(TensorFacts facts, ByteBuffer values, int width) {
        ByteBuffer little = values.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        List<Size> sizes = new ArrayList<>();
        while (little.remaining() >= width) {
            double value = width == Float.BYTES ? little.getFloat() : little.getDouble();
            if (value != (long) value || Math.abs(value) > LARGEST_WHOLE) {
                return facts;
            }
            sizes.add(Size.of((long) value));
        }
        return facts.withElements(sizes);
    }

    /** Returns the number that a ConstantOfShape fills its output with, if it is a whole number. */
    static Optional<Size> single(OnnxNode node, OnnxTensors tensors) {
        Optional<TensorProto> value =
                node.attribute("value", AttributeType.TENSOR).map(AttributeProto::getT);
        return value.isEmpty()
                ? Optional.of(Size.of(0))
                : of(value.get(), tensors).elements().filter(e -> e.size() == 1).map(e -> e.get(0));
    }
}

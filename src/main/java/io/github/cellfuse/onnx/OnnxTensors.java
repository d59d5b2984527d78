package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataLocation;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Reads the tensors of a model into Java arrays, from {@code raw_data}, the typed fields or a separate file. Sizes are
 * checked against the shape before anything is allocated. Every method throws an {@link InvalidInputException} that
 * names the file and the tensor if the tensor is invalid, and a {@link io.github.cellfuse.CellFuseException} if the
 * disk fails. Immutable and thread safe.
 *
 * @param model the model's file; external data is read from its folder
 */
public record OnnxTensors(Path model) {
    /** The longest array that every JVM can allocate. */
    static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    /**
     * Returns the values of a tensor of FLOAT, FLOAT16, BFLOAT16 (both exactly) or DOUBLE (rounded to the nearest
     * float32), in C order, in a new array.
     */
    public float[] floats(TensorProto tensor) {
        return floatValues(tensor).floats();
    }

    /** Returns the values of a tensor of integers, or of BOOL (0 and 1), in C order, in a new array. */
    public long[] longs(TensorProto tensor) {
        TensorValues values = values(tensor);
        if (!values.type().isInteger()) {
            throw invalid(tensor, "expected integers, found " + values.type());
        }
        return values.longs();
    }

    /**
     * Returns the values of a tensor of any number type as they are in {@code raw_data}: little-endian, in C order. The
     * buffer is read-only and shares the model's memory where possible.
     */
    public ByteBuffer bytes(TensorProto tensor) {
        return values(tensor).bytes();
    }

    /** Returns the dimensions of a tensor as a new array; none is negative. */
    public long[] shape(TensorProto tensor) {
        long[] shape = new long[tensor.getDimsCount()];
        for (int k = 0; k < shape.length; k++) {
            shape[k] = tensor.getDims(k);
        }
        Sizes.product(model + ": " + label(tensor) + ", shape " + Problems.shape(shape), shape);
        return shape;
    }

    /**
     * Returns the tensor with its values in {@code raw_data} if they are in another file, otherwise {@code tensor}
     * itself.
     */
    public TensorProto inMemory(TensorProto tensor) {
        if (tensor.getDataLocation() != DataLocation.EXTERNAL) {
            return tensor;
        }
        return tensor.toBuilder()
                .clearExternalData()
                .clearDataLocation()
                .setRawData(raw(tensor, type(tensor)))
                .build();
    }

    /**
     * Returns the graph with all tensors in memory: the initializers, and the attributes of its nodes and their
     * subgraphs.
     */
    public GraphProto inMemory(GraphProto graph) {
        GraphProto.Builder result = graph.toBuilder();
        for (int k = 0; k < graph.getInitializerCount(); k++) {
            result.setInitializer(k, inMemory(graph.getInitializer(k)));
        }
        for (int n = 0; n < graph.getNodeCount(); n++) {
            result.setNode(n, inMemory(graph.getNode(n)));
        }
        return result.build();
    }

    /** Returns the function with all tensors in memory: those of its nodes and of its attributes' defaults. */
    public FunctionProto inMemory(FunctionProto function) {
        FunctionProto.Builder result = function.toBuilder();
        for (int n = 0; n < function.getNodeCount(); n++) {
            result.setNode(n, inMemory(function.getNode(n)));
        }
        for (int k = 0; k < function.getAttributeProtoCount(); k++) {
            result.setAttributeProto(k, inMemory(function.getAttributeProto(k)));
        }
        return result.build();
    }

    private NodeProto inMemory(NodeProto node) {
        if (node.getAttributeList().stream().noneMatch(a -> a.hasT() || a.hasG() || a.getGraphsCount() > 0)) {
            return node;
        }
        NodeProto.Builder result = node.toBuilder();
        for (int k = 0; k < node.getAttributeCount(); k++) {
            result.setAttribute(k, inMemory(node.getAttribute(k)));
        }
        return result.build();
    }

    private AttributeProto inMemory(AttributeProto attribute) {
        AttributeProto.Builder result = attribute.toBuilder();
        if (attribute.hasT()) {
            result.setT(inMemory(attribute.getT()));
        }
        if (attribute.hasG()) {
            result.setG(inMemory(attribute.getG()));
        }
        for (int k = 0; k < attribute.getGraphsCount(); k++) {
            result.setGraphs(k, inMemory(attribute.getGraphs(k)));
        }
        return result.build();
    }

    /** Returns the values of a tensor that {@link #floats} accepts, without copying them. */
    TensorValues floatValues(TensorProto tensor) {
        TensorType type = type(tensor);
        if (!type.isFloat()) {
            throw invalid(tensor, "expected FLOAT, FLOAT16, BFLOAT16 or DOUBLE, found " + type);
        }
        return values(tensor);
    }

    /** Returns the values of a tensor of any number type, without copying them where possible. */
    TensorValues values(TensorProto tensor) {
        TensorType type = type(tensor);
        return new TensorValues(
                type, raw(tensor, type).asReadOnlyByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    private TensorType type(TensorProto tensor) {
        return TensorType.of(tensor.getDataType())
                .orElseThrow(() -> invalid(
                        tensor,
                        "expected a tensor of numbers, found data type "
                                + (tensor.getDataType() == TensorProto.DataType.STRING_VALUE
                                        ? "STRING"
                                        : tensor.getDataType())));
    }

    private ByteString raw(TensorProto tensor, TensorType type) {
        long[] shape = shape(tensor);
        String what = model + ": " + label(tensor) + ", shape " + Problems.shape(shape);
        long count = Sizes.product(what, shape);
        long bytes = Sizes.product(what, count, type.element().bytes());
        if (bytes > LARGEST_ARRAY) {
            throw invalid(
                    tensor,
                    "expected at most " + LARGEST_ARRAY + " bytes, found " + bytes + " for shape "
                            + Problems.shape(shape));
        }
        long typed = TensorType.typedCounts(tensor);
        boolean isRaw = !tensor.getRawData().isEmpty();
        if (tensor.getDataLocation() == DataLocation.EXTERNAL) {
            if (isRaw || typed > 0) {
                throw invalid(tensor, "expected values only in the external file, found some in the model as well");
            }
            return ExternalData.of(model, label(tensor), tensor).read(bytes);
        }
        if (isRaw && typed > 0) {
            throw invalid(tensor, "expected values in one field, found them in raw_data and in a typed field");
        }
        if (isRaw || bytes == 0) {
            if (tensor.getRawData().size() != bytes || typed > 0) {
                throw invalid(
                        tensor,
                        "expected " + bytes + " bytes of " + type + " for shape " + Problems.shape(shape) + ", found "
                                + tensor.getRawData().size() + (typed > 0 ? " and " + typed + " values" : ""));
            }
            return tensor.getRawData();
        }
        if (type.typedCount(tensor) != count || typed != count) {
            throw invalid(
                    tensor,
                    "expected " + count + " values of " + type + " for shape " + Problems.shape(shape) + ", found "
                            + type.typedCount(tensor)
                            + (typed > type.typedCount(tensor) ? " and values of another type" : ""));
        }
        return type.toRaw(tensor)
                .orElseThrow(() -> invalid(tensor, "expected values of " + type + ", found one out of range"));
    }

    private static String label(TensorProto tensor) {
        return tensor.getName().isEmpty() ? "a tensor without a name" : "tensor " + Problems.quote(tensor.getName());
    }

    InvalidInputException invalid(TensorProto tensor, String what) {
        return Problems.invalid(model, label(tensor) + ": " + what);
    }
}

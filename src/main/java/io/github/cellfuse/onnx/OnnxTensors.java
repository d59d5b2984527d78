package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataLocation;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Tensors of a model as Java arrays: out of {@code raw_data}, the typed fields or a file beside the model. Sizes are compared with the
 * shape before anything is allocated. Every method throws an {@link InvalidInputException} that names the file and the tensor, and a
 * {@link io.github.cellfuse.CellFuseException} when the disk fails. Immutable and safe to share between threads.
 *
 * @param model the model's file, in whose folder external data is looked for
 */
public record OnnxTensors(Path model) {
    /** What an array may hold on every JVM. */
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    /**
     * The values of a tensor of FLOAT, FLOAT16, BFLOAT16 (both exactly) or DOUBLE (rounded to the nearest float32), in C order, in a new
     * array.
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

    /** Returns the values of a tensor of any number type as the format's {@code raw_data} has them: little-endian, in C order; not copied. */
    public ByteBuffer bytes(TensorProto tensor) {
        return values(tensor).bytes();
    }

    /** Returns the dimensions, none of them negative. */
    public long[] shape(TensorProto tensor) {
        long[] shape = new long[tensor.getDimsCount()];
        for (int k = 0; k < shape.length; k++) {
            shape[k] = tensor.getDims(k);
        }
        Sizes.product(model + ": " + label(tensor) + ", shape " + Problems.shape(shape), shape);
        return shape;
    }

    /** Returns the same tensor with its values in {@code raw_data} when they are in another file; itself otherwise. */
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

    /** Returns the same graph with all tensors in memory: initializers, and those of attributes, also in the graphs within. */
    public GraphProto inMemory(GraphProto graph) {
        GraphProto.Builder result = graph.toBuilder();
        for (int k = 0; k < graph.getInitializerCount(); k++) {
            result.setInitializer(k, inMemory(graph.getInitializer(k)));
        }
        for (int n = 0; n < graph.getNodeCount(); n++) {
            NodeProto node = graph.getNode(n);
            if (node.getAttributeList().stream().anyMatch(a -> a.hasT() || a.hasG() || a.getGraphsCount() > 0)) {
                NodeProto.Builder changed = node.toBuilder();
                for (int k = 0; k < node.getAttributeCount(); k++) {
                    changed.setAttribute(k, inMemory(node.getAttribute(k)));
                }
                result.setNode(n, changed);
            }
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

    /** As {@link #floats}, not yet copied anywhere. */
    TensorValues floatValues(TensorProto tensor) {
        TensorType type = type(tensor);
        if (!type.isFloat()) {
            throw invalid(tensor, "expected FLOAT, FLOAT16, BFLOAT16 or DOUBLE, found " + type);
        }
        return values(tensor);
    }

    /** Returns the values of a tensor of any number type. */
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
            throw invalid(tensor, bytes + " bytes of shape " + Problems.shape(shape) + " are more than can be read");
        }
        long typed = TensorType.typedCounts(tensor);
        boolean isRaw = !tensor.getRawData().isEmpty();
        if (tensor.getDataLocation() == DataLocation.EXTERNAL) {
            if (isRaw || typed > 0) {
                throw invalid(tensor, "expected values in another file, found some here as well");
            }
            return ExternalData.of(model, label(tensor), tensor).read(bytes);
        }
        if (isRaw && typed > 0) {
            throw invalid(tensor, "expected values once, found them in raw_data and one by one");
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
                            + (typed > type.typedCount(tensor) ? " and others of another type" : ""));
        }
        return type.toRaw(tensor).orElseThrow(() -> invalid(tensor, "expected values of " + type + ", found larger"));
    }

    private static String label(TensorProto tensor) {
        return tensor.getName().isEmpty() ? "a tensor without a name" : "tensor " + Problems.quote(tensor.getName());
    }

    InvalidInputException invalid(TensorProto tensor, String what) {
        return Problems.invalid(model, label(tensor) + ": " + what);
    }
}

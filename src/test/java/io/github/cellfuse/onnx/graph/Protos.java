package io.github.cellfuse.onnx.graph;

import com.google.protobuf.ByteString;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Builds ONNX models for tests. */
public final class Protos {
    public static final int OPSET = 14;

    private Protos() {}

    public static ModelProto model(GraphProto.Builder graph) {
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET))
                .setGraph(graph.setName("test"))
                .build();
    }

    public static Path write(Path folder, GraphProto.Builder graph) {
        try {
            return Files.write(
                    Files.createTempFile(folder, "model", ".onnx"), model(graph).toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A value with its dimensions: numbers, names, or an empty name for any size. */
    public static ValueInfoProto value(String name, ElementType type, Object... dimensions) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dimension : dimensions) {
            if (dimension instanceof Integer size) {
                shape.addDimBuilder().setDimValue(size);
            } else {
                shape.addDimBuilder().setDimParam((String) dimension);
            }
        }
        TypeProto.Tensor.Builder tensor =
                TypeProto.Tensor.newBuilder().setElemType(OnnxTypes.code(type)).setShape(shape);
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    public static ValueInfoProto floats(String name, Object... dimensions) {
        return value(name, ElementType.FLOAT32, dimensions);
    }

    public static NodeProto node(
            String type, String name, List<String> inputs, List<String> outputs, AttributeProto... more) {
        return NodeProto.newBuilder()
                .setOpType(type)
                .setName(name)
                .addAllInput(inputs)
                .addAllOutput(outputs)
                .addAllAttribute(Arrays.asList(more))
                .build();
    }

    public static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.INT)
                .setI(value)
                .build();
    }

    public static AttributeProto integers(String name, Long... values) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.INTS)
                .addAllInts(List.of(values))
                .build();
    }

    public static AttributeProto text(String name, String value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.STRING)
                .setS(ByteString.copyFromUtf8(value))
                .build();
    }

    public static AttributeProto graph(String name, GraphProto.Builder value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.GRAPH)
                .setG(value.setName(name))
                .build();
    }

    public static TensorProto constant(String name, Tensor value) {
        return RuntimeFolding.toProto(value).toBuilder().setName(name).build();
    }

    /** A node that makes {@code value}. */
    public static NodeProto constantNode(String output, Tensor value) {
        return node(
                "Constant",
                output,
                List.of(),
                List.of(output),
                AttributeProto.newBuilder()
                        .setName("value")
                        .setType(AttributeType.TENSOR)
                        .setT(RuntimeFolding.toProto(value))
                        .build());
    }

    public static TensorProto longs(String name, long... values) {
        return constant(name, Tensor.of(values, values.length));
    }

    public static TensorProto flag(String name, boolean value) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.BOOL_VALUE)
                .setRawData(ByteString.copyFrom(new byte[] {(byte) (value ? 1 : 0)}))
                .build();
    }

    /** Weights of an LSTM, small enough for long sums: {@code NAME.W}, {@code NAME.R} and {@code NAME.B}. */
    public static void weights(
            GraphProto.Builder graph, String name, Random random, int directions, int inputs, int hidden) {
        graph.addInitializer(constant(name + ".W", scaled(random, directions, 4 * hidden, inputs)));
        graph.addInitializer(constant(name + ".R", scaled(random, directions, 4 * hidden, hidden)));
        graph.addInitializer(constant(name + ".B", scaled(random, directions, 8 * hidden)));
    }

    public static Tensor scaled(Random random, long... shape) {
        float[] values = new float[Tensor.size(ElementType.INT8, shape)];
        for (int k = 0; k < values.length; k++) {
            values[k] = (random.nextFloat() - 0.5f) * 0.8f;
        }
        return Tensor.of(values, shape);
    }

    /** An LSTM with the weights of {@link #weights}, its output {@code NAME.y} and what else is named. */
    public static NodeProto lstm(
            String name,
            String x,
            int hidden,
            List<String> moreInputs,
            List<String> moreOutputs,
            AttributeProto... more) {
        NodeProto.Builder node =
                node("LSTM", name, List.of(x, name + ".W", name + ".R", name + ".B"), List.of(name + ".y")).toBuilder()
                        .addAllInput(moreInputs)
                        .addAllOutput(moreOutputs)
                        .addAttribute(integer("hidden_size", hidden))
                        .addAllAttribute(Arrays.asList(more));
        return node.build();
    }

    public static NodeProto lstm(String name, String x, int hidden) {
        return lstm(name, x, hidden, List.of(), List.of());
    }

    public static AttributeProto bidirectional() {
        return text("direction", "bidirectional");
    }
}

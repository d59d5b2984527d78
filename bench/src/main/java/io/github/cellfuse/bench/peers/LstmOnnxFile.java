package io.github.cellfuse.bench.peers;

import com.google.protobuf.ByteString;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.bench.Shape;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** An ONNX model of one LSTM node with constant weights: {@code X [T,N,I] → Y [T,1,N,H]}. */
final class LstmOnnxFile {
    /** The operator's order is i, o, f, c: position in ours of each of its gates. */
    private static final int[] GATES = {
        LstmWeights.INPUT_GATE, LstmWeights.OUTPUT_GATE, LstmWeights.FORGET_GATE, LstmWeights.CANDIDATE
    };

    private static final int IR_VERSION = 8;
    /** LSTM is unchanged since. */
    private static final int OPSET = 14;

    private LstmOnnxFile() {}

    /** Returns the model's file, as bytes. */
    static byte[] of(Shape shape, LstmWeights weights) {
        long steps = shape.steps(), rows = shape.rows(), inputs = shape.inputs(), units = shape.units();
        NodeProto node = NodeProto.newBuilder()
                .setName("lstm")
                .setOpType("LSTM")
                .addAllInput(List.of("X", "W", "R", "B"))
                .addOutput("Y")
                .addAttribute(AttributeProto.newBuilder()
                        .setName("hidden_size")
                        .setType(AttributeType.INT)
                        .setI(units))
                .build();
        float[] noBias = new float[4 * shape.units()];
        byte[] biases = concatenate(
                gates(weights.inputBias().orElse(noBias)),
                gates(weights.recurrentBias().orElse(noBias)));
        GraphProto graph = GraphProto.newBuilder()
                .setName("lstm")
                .addNode(node)
                .addInitializer(tensor("W", gates(weights.input()), 1, 4 * units, inputs))
                .addInitializer(tensor("R", gates(weights.recurrent()), 1, 4 * units, units))
                .addInitializer(tensor("B", biases, 1, 8 * units))
                .addInput(value("X", steps, rows, inputs))
                .addOutput(value("Y", steps, 1, rows, units))
                .build();
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("cellfuse-bench")
                .setGraph(graph)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET))
                .build()
                .toByteArray();
    }

    /** Returns an array with a leading gate dimension, in the operator's order, as little-endian bytes. */
    static byte[] gates(float[] values) {
        int gate = values.length / GATES.length;
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int from : GATES) {
            bytes.asFloatBuffer().put(values, from * gate, gate);
            bytes.position(bytes.position() + gate * Float.BYTES);
        }
        return bytes.array();
    }

    private static byte[] concatenate(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }

    private static TensorProto tensor(String name, byte[] raw, long... dimensions) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addAllDims(Arrays.stream(dimensions).boxed().toList())
                .setRawData(ByteString.copyFrom(raw))
                .build();
    }

    private static ValueInfoProto value(String name, long... dimensions) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long dimension : dimensions) {
            shape.addDimBuilder().setDimValue(dimension);
        }
        TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder()
                .setElemType(TensorProto.DataType.FLOAT_VALUE)
                .setShape(shape);
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }
}

package io.github.cellfuse.bench.peers;

import static io.github.cellfuse.bench.peers.OnnxProtos.floats;
import static io.github.cellfuse.bench.peers.OnnxProtos.integer;
import static io.github.cellfuse.bench.peers.OnnxProtos.node;
import static io.github.cellfuse.bench.peers.OnnxProtos.value;

import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** An ONNX model of one LSTM node with constant weights: {@code X [T,N,I] → Y [T,1,N,H]}. */
final class LstmOnnxFile {
    /** The operator's order is i, o, f, c: position in ours of each of its gates. */
    private static final int[] GATES = {
        LstmWeights.INPUT_GATE, LstmWeights.OUTPUT_GATE, LstmWeights.FORGET_GATE, LstmWeights.CANDIDATE
    };

    /** LSTM is unchanged since. */
    private static final int OPSET = 14;

    private LstmOnnxFile() {}

    /** Returns the model's file, as bytes. */
    static byte[] of(Shape shape, LstmWeights weights) {
        long steps = shape.steps(), rows = shape.rows(), inputs = shape.inputs(), units = shape.units();
        float[] noBias = new float[4 * shape.units()];
        byte[] biases = concatenate(
                gates(weights.inputBias().orElse(noBias)),
                gates(weights.recurrentBias().orElse(noBias)));
        GraphProto graph = GraphProto.newBuilder()
                .setName("lstm")
                .addNode(node("LSTM", List.of("X", "W", "R", "B"), List.of("Y"), integer("hidden_size", units)))
                .addInitializer(floats("W", gates(weights.input()), 1, 4 * units, inputs))
                .addInitializer(floats("R", gates(weights.recurrent()), 1, 4 * units, units))
                .addInitializer(floats("B", biases, 1, 8 * units))
                .addInput(value("X", steps, rows, inputs))
                .addOutput(value("Y", steps, 1, rows, units))
                .build();
        return OnnxProtos.model(graph, OPSET).toByteArray();
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
}

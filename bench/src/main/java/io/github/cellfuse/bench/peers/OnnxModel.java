package io.github.cellfuse.bench.peers;

import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.bench.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An ONNX model of one LSTM node with constant weights: {@code X [T,N,I] → Y [T,1,N,H]}. Field numbers are those of onnx.proto. */
final class OnnxModel {
    /** The operator's order is i, o, f, c: position in ours of each of its gates. */
    private static final int[] GATES = {
        LstmWeights.INPUT_GATE, LstmWeights.OUTPUT_GATE, LstmWeights.FORGET_GATE, LstmWeights.CANDIDATE
    };

    private static final int IR_VERSION = 8;
    /** LSTM is unchanged since. */
    private static final int OPSET = 14;

    private static final int FLOAT = 1, INT_ATTRIBUTE = 2;

    private OnnxModel() {}

    /** The model's file, as bytes. */
    static byte[] of(Shape shape, LstmWeights weights) {
        long steps = shape.steps(), rows = shape.rows(), inputs = shape.inputs(), units = shape.units();
        Protobuf node = new Protobuf()
                .string(1, "X")
                .string(1, "W")
                .string(1, "R")
                .string(1, "B")
                .string(2, "Y")
                .string(3, "lstm")
                .string(4, "LSTM")
                .message(
                        5,
                        new Protobuf()
                                .string(1, "hidden_size")
                                .integer(3, units)
                                .integer(20, INT_ATTRIBUTE));
        float[] noBias = new float[4 * shape.units()];
        byte[] biases = concatenate(
                gates(weights.inputBias() == null ? noBias : weights.inputBias()),
                gates(weights.recurrentBias() == null ? noBias : weights.recurrentBias()));
        Protobuf graph = new Protobuf()
                .message(1, node)
                .string(2, "lstm")
                .message(5, tensor("W", gates(weights.input()), 1, 4 * units, inputs))
                .message(5, tensor("R", gates(weights.recurrent()), 1, 4 * units, units))
                .message(5, tensor("B", biases, 1, 8 * units))
                .message(11, value("X", steps, rows, inputs))
                .message(12, value("Y", steps, 1, rows, units));
        return new Protobuf()
                .integer(1, IR_VERSION)
                .string(2, "cellfuse-bench")
                .message(7, graph)
                .message(8, new Protobuf().string(1, "").integer(2, OPSET))
                .toBytes();
    }

    /** An array with a leading gate dimension, in the operator's order, as little-endian bytes. */
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

    private static Protobuf tensor(String name, byte[] raw, long... dimensions) {
        Protobuf tensor = new Protobuf();
        for (long dimension : dimensions) {
            tensor.integer(1, dimension);
        }
        return tensor.integer(2, FLOAT).string(8, name).bytes(9, raw);
    }

    private static Protobuf value(String name, long... dimensions) {
        Protobuf shape = new Protobuf();
        for (long dimension : dimensions) {
            shape.message(1, new Protobuf().integer(1, dimension));
        }
        Protobuf tensor = new Protobuf().integer(1, FLOAT).message(2, shape);
        return new Protobuf().string(1, name).message(2, new Protobuf().message(1, tensor));
    }
}

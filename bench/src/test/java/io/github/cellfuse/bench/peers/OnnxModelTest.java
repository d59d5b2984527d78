package io.github.cellfuse.bench.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** The bytes of the model; that ONNX Runtime reads them as meant is seen in {@link MatchTest}. */
class OnnxModelTest {
    @Test
    void gatesComeInTheOperatorsOrder() {
        // two values a gate: i = 0 1, f = 10 11, g = 20 21, o = 30 31
        byte[] bytes = OnnxModel.gates(new float[] {0, 1, 10, 11, 20, 21, 30, 31});
        float[] values = new float[8];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        assertArrayEquals(new float[] {0, 1, 30, 31, 10, 11, 20, 21}, values);
    }

    @Test
    void fieldsAreWrittenAsProtobufSpecifies() {
        // the examples of protobuf's own description of its encoding
        assertArrayEquals(
                new byte[] {0x08, (byte) 0x96, 0x01},
                new Protobuf().integer(1, 150).toBytes());
        assertArrayEquals(
                new byte[] {0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g'},
                new Protobuf().string(2, "testing").toBytes());
        assertArrayEquals(
                new byte[] {0x1a, 0x03, 0x08, (byte) 0x96, 0x01},
                new Protobuf().message(3, new Protobuf().integer(1, 150)).toBytes());
    }

    @Test
    void aKeyBeyondFieldFifteenTakesTwoBytes() {
        assertArrayEquals(
                new byte[] {(byte) 0xa0, 0x01, 0x02},
                new Protobuf().integer(20, 2).toBytes());
    }

    @Test
    void longAndNegativeIntegersKeepTheirBits() {
        byte[] bytes = new Protobuf().integer(1, -1).toBytes();
        assertEquals(11, bytes.length); // a key and ten bytes of seven bits
        assertNotEquals(0, bytes[10]);
    }
}

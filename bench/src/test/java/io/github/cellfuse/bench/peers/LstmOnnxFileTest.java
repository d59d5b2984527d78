package io.github.cellfuse.bench.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** The bytes of the model; that ONNX Runtime reads them as meant is seen in {@link MatchTest}. */
class LstmOnnxFileTest {
    @Test
    void gatesComeInTheOperatorsOrder() {
        // two values a gate: i = 0 1, f = 10 11, g = 20 21, o = 30 31
        byte[] bytes = LstmOnnxFile.gates(new float[] {0, 1, 10, 11, 20, 21, 30, 31});
        float[] values = new float[8];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        assertArrayEquals(new float[] {0, 1, 30, 31, 10, 11, 20, 21}, values);
    }
}

package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClQueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A buffer larger than its tensor. All of it begins as a sentinel, a NaN: what reads it where it should not gives NaN,
 * and what writes where it should not is found by {@link #check}. Say what may change with {@link #anything}, what must
 * with {@link #expect}.
 */
final class GuardedBuffer {
    private static final int SENTINEL = 0x7FA0BEEF, ANYTHING = 0x7FA0CAFE;
    /** More than a whole tile of pre-activations, so that a wrong store is found rather than fatal. */
    private static final int GUARD = 1 << 14;

    private final String name;
    private final ClBuffer buffer;
    private final int[] expected;

    /**
     * The buffer of {@code tensor}, which has {@code size} values and begins with {@code values}; there may be fewer of
     * them than {@code size}.
     */
    GuardedBuffer(ClQueue queue, Workspace workspace, DeviceTensor tensor, long size, int... values) {
        name = tensor.title();
        expected = new int[Math.toIntExact(size) + GUARD];
        Arrays.fill(expected, SENTINEL);
        System.arraycopy(values, 0, expected, 0, values.length);
        ByteBuffer bytes = ByteBuffer.allocateDirect(expected.length * 4).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(expected);
        buffer = workspace.ensure(tensor, expected.length);
        queue.write(buffer, 0, bytes);
    }

    static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, k -> Float.floatToRawIntBits(values[k]));
        return bits;
    }

    /** Value {@code at} must be {@code value} in the end. */
    void expect(int at, float value) {
        expected[at] = Float.floatToRawIntBits(value);
    }

    /** The values from {@code from} to {@code to} may be anything in the end. */
    void anything(int from, int to) {
        Arrays.fill(expected, from, to, ANYTHING);
    }

    /** Fails at the first value that is not as it should be; what was not spoken of must be as it was. */
    void check(ClQueue queue, String what) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(expected.length * 4).order(ByteOrder.nativeOrder());
        queue.read(buffer, 0, bytes);
        for (int k = 0; k < expected.length; k++) {
            if (expected[k] != ANYTHING) {
                int at = k;
                assertEquals(
                        Integer.toHexString(expected[k]),
                        Integer.toHexString(bytes.getInt(k * 4)),
                        () -> what + ": " + name + "[" + at + "] of " + (expected.length - GUARD));
            }
        }
    }
}

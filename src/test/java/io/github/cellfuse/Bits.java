package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.fail;

import java.nio.FloatBuffer;

/** Comparison of results by their bits; any two NaNs are the same. */
public final class Bits {
    private Bits() {}

    /** Whether {@code a} and {@code b} are the same float. */
    public static boolean same(float a, float b) {
        return Float.floatToIntBits(a) == Float.floatToIntBits(b);
    }

    /** Fails at the first float that differs. */
    public static void assertSame(String what, FloatBuffer expected, FloatBuffer found) {
        if (expected.limit() != found.limit()) {
            fail(what + ": expected " + expected.limit() + " values, found " + found.limit());
        }
        for (int k = 0; k < expected.limit(); k++) {
            if (!same(expected.get(k), found.get(k))) {
                fail(what + "[" + k + "]: expected " + Float.toHexString(expected.get(k)) + " (" + expected.get(k)
                        + "), found " + Float.toHexString(found.get(k)) + " (" + found.get(k) + ")");
            }
        }
    }

    /** Fails at the first float that differs. */
    public static void assertSame(String what, float[] expected, float[] found) {
        assertSame(what, FloatBuffer.wrap(expected), FloatBuffer.wrap(found));
    }

    /** Fails at the first float of y or the final states that differs. */
    public static void assertSame(String what, LstmOutput expected, LstmOutput found) {
        assertSame(what + ": y", expected.y(), found.y());
        assertSame(
                what + ": final h",
                expected.finalState().h(),
                found.finalState().h());
        assertSame(
                what + ": final c",
                expected.finalState().c(),
                found.finalState().c());
    }
}

package io.github.cellfuse.jvm;

/**
 * {@link Activations} over {@link GateProduct#WIDE} values at once, in loops that HotSpot's C2 compiles to vector code:
 * constant trip count, every array read at the loop index, no integer operations. Short scalar loops between them do
 * the operations on bits. For each value the operations are those of {@link Activations}. Belongs to one task.
 */
final class ActivationBlock {
    private static final int WIDE = GateProduct.WIDE;

    private final float[] rounded = new float[WIDE];
    private final float[] reduced = new float[WIDE];
    private final float[] numerator = new float[WIDE];
    private final float[] reciprocal = new float[WIDE];

    /** Replaces each value by its sigmoid. */
    void sigmoid(float[] x) {
        float[] z = numerator;
        for (int j = 0; j < WIDE; j++) {
            z[j] = Math.max(-Math.abs(x[j]), -104.0f); // Math.max keeps a NaN
        }
        expm1(z, rounded, reduced);
        for (int j = 0; j < WIDE; j++) {
            float scale = Float.intBitsToFloat((Float.floatToRawIntBits(rounded[j]) << 23) + 0x4F800000);
            float e = Math.fma(reduced[j], scale, scale) * 0x1p-32f;
            numerator[j] = x[j] < 0.0f ? e : 1.0f;
            reduced[j] = e;
        }
        quotient(numerator, 1.0f, reduced, reciprocal, x);
    }

    /** Writes the tanh of each value of {@code x} to {@code y}, which may be the same array. */
    void tanh(float[] x, float[] y) {
        float[] z = numerator;
        for (int j = 0; j < WIDE; j++) {
            z[j] = Math.max(-2.0f * Math.abs(x[j]), -20.0f);
        }
        expm1(z, rounded, reduced);
        for (int j = 0; j < WIDE; j++) {
            float scale = Float.intBitsToFloat((Float.floatToRawIntBits(rounded[j]) << 23) + 0x3F800000);
            float m = Math.fma(reduced[j], scale, scale - 1.0f);
            numerator[j] = -m;
            reduced[j] = m;
        }
        quotient(numerator, 2.0f, reduced, reciprocal, rounded);
        for (int j = 0; j < WIDE; j++) {
            y[j] = Float.intBitsToFloat(
                    Float.floatToRawIntBits(rounded[j]) | (Float.floatToRawIntBits(x[j]) & 0x80000000));
        }
    }

    /** Writes z·log2(e), rounded, to the low bits of {@code t}, and e^r - 1 of the remainder r to {@code s}. */
    private static void expm1(float[] z, float[] t, float[] s) {
        for (int j = 0; j < WIDE; j++) {
            float zj = z[j];
            float tj = Math.fma(zj, Activations.LOG2_E, Activations.ROUND_TO_INT);
            float n = tj - Activations.ROUND_TO_INT;
            t[j] = tj;
            s[j] = Math.fma(n, Activations.LN2_EXCESS, Math.fma(n, -Activations.LN2_HIGH, zj));
        }
        for (int j = 0; j < WIDE; j++) {
            float r = s[j];
            float p = Math.fma(Activations.E6, r, Activations.E5);
            p = Math.fma(p, r, Activations.E4);
            p = Math.fma(p, r, Activations.E3);
            p = Math.fma(p, r, Activations.E2);
            s[j] = Math.fma(p * r, r, r);
        }
    }

    /**
     * Writes {@code num / (one + e)} to {@code result}, which must be none of the other arrays; {@code r} is work
     * memory.
     */
    private static void quotient(float[] num, float one, float[] e, float[] r, float[] result) {
        for (int j = 0; j < WIDE; j++) {
            float d = one + e[j];
            float guess = Math.fma(Math.fma(Activations.G2, d, Activations.G1), d, Activations.G0);
            float error = Math.fma(-d, guess, 1.0f);
            r[j] = Math.fma(guess, Math.fma(error, error, error), guess);
        }
        for (int j = 0; j < WIDE; j++) {
            float q = num[j] * r[j];
            float residual = Math.fma(-q, e[j], Math.fma(-one, q, num[j]));
            result[j] = Math.fma(residual, r[j], q);
        }
    }
}

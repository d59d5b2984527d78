package io.github.cellfuse.java;

/**
 * {@link Activations} over {@link GateProduct#WIDE} values at once, in loops that HotSpot's C2 turns into vector code: constant
 * trip count, every array at the loop index, no integer operations. What works on the bits is in short scalar loops between them.
 * Value by value the operations are the same as in {@link Activations}. Belongs to one task.
 */
final class ActivationBlock {
    private static final int WIDE = GateProduct.WIDE;

    private final float[] rounded = new float[WIDE];
    private final float[] reduced = new float[WIDE];
    private final float[] numerator = new float[WIDE];
    private final float[] denominator = new float[WIDE];
    private final float[] residue = new float[WIDE];

    /** Replaces each of the values by its sigmoid. */
    void sigmoid(float[] x) {
        float[] z = numerator;
        for (int j = 0; j < WIDE; j++) {
            z[j] = Math.max(-Math.abs(x[j]), -104.0f); // Math.max keeps a NaN
        }
        expm1(z, rounded, reduced);
        for (int j = 0; j < WIDE; j++) {
            float scale = Float.intBitsToFloat((Float.floatToRawIntBits(rounded[j]) << 23) + 0x4F800000);
            float e = ((1.0f + reduced[j]) * scale) * 0x1p-32f;
            numerator[j] = x[j] < 0.0f ? e : 1.0f;
            reduced[j] = e;
        }
        split(1.0f, reduced, denominator, residue);
        quotient(numerator, denominator, residue, x);
    }

    /** Writes the tanh of each value of {@code x} to {@code y}, which may be {@code x}. */
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
        split(2.0f, reduced, denominator, residue);
        quotient(numerator, denominator, residue, reduced);
        for (int j = 0; j < WIDE; j++) {
            y[j] = Float.intBitsToFloat(
                    Float.floatToRawIntBits(reduced[j]) | (Float.floatToRawIntBits(x[j]) & 0x80000000));
        }
    }

    /** {@code t}: z·log2(e) rounded, in its low bits; {@code s}: e^r - 1 of what remains. */
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

    /** {@code d = one + e} and what its rounding lost. */
    private static void split(float one, float[] e, float[] d, float[] dl) {
        for (int j = 0; j < WIDE; j++) {
            float sum = one + e[j];
            d[j] = sum;
            dl[j] = e[j] - (sum - one);
        }
    }

    /** {@code num / (d + dl)}; {@code result} may be none of the others. */
    private static void quotient(float[] num, float[] d, float[] dl, float[] result) {
        for (int j = 0; j < WIDE; j++) {
            float dj = d[j];
            float r = Math.fma(Math.fma(Activations.G2, dj, Activations.G1), dj, Activations.G0);
            float e = Math.fma(-dj, r, 1.0f);
            result[j] = Math.fma(r, Math.fma(e, e, e), r);
        }
        for (int j = 0; j < WIDE; j++) {
            float r = result[j];
            float q = num[j] * r;
            float residual = Math.fma(-q, d[j], num[j]);
            residual = Math.fma(-q, dl[j], residual);
            result[j] = Math.fma(residual, r, q);
        }
    }
}

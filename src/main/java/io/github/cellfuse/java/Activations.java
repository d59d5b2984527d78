package io.github.cellfuse.java;

/**
 * Sigmoid and tanh as the numerical contract defines them, operation by operation the same as {@code kernels/activations.cl}:
 * whoever changes a line here changes it there. {@code docs/numerics.md} derives the error: at most 1.51 ulp for sigmoid and 1.96
 * for tanh over all 2³² inputs; both are monotone, exact at ±0, saturate at ±∞ and give NaN for NaN. Thread safe.
 */
public final class Activations {
    /** 1.5·2²³: adding it rounds to an integer, which then stands in the low bits. */
    static final float ROUND_TO_INT = 12582912.0f;

    static final float LOG2_E = 0x1.715476p+0f;
    /** ln 2 is {@code LN2_HIGH - LN2_EXCESS}. */
    static final float LN2_HIGH = 0x1.62e430p-1f;

    static final float LN2_EXCESS = 0x1.05c610p-29f;

    /** e^r - 1 = r + r²·(E2 + r·(E3 + r·(E4 + r·(E5 + r·E6)))). */
    static final float E2 = 0x1.fffffcp-2f,
            E3 = 0x1.555492p-3f,
            E4 = 0x1.5558b2p-5f,
            E5 = 0x1.12398ep-7f,
            E6 = 0x1.6a4b36p-10f;

    /** 1/d on [1,2], roughly: G0 + d·(G1 + d·G2); exact at 1 and 2. */
    static final float G0 = 2.1875f, G1 = -1.53125f, G2 = 0.34375f;

    private Activations() {}

    /** {@code 1 / (1 + e^-x)}. */
    public static float sigmoid(float x) {
        float z = -Math.abs(x);
        z = z < -104.0f ? -104.0f : z;
        float t = Math.fma(z, LOG2_E, ROUND_TO_INT);
        float r = reduce(z, t - ROUND_TO_INT);
        float scale = Float.intBitsToFloat((Float.floatToRawIntBits(t) << 23) + 0x4F800000);
        float e = Math.fma(expm1Reduced(r), scale, scale) * 0x1p-32f;
        return quotient(x < 0.0f ? e : 1.0f, 1.0f, e);
    }

    /** The hyperbolic tangent. */
    public static float tanh(float x) {
        float z = -2.0f * Math.abs(x);
        z = z < -20.0f ? -20.0f : z;
        float t = Math.fma(z, LOG2_E, ROUND_TO_INT);
        float r = reduce(z, t - ROUND_TO_INT);
        float scale = Float.intBitsToFloat((Float.floatToRawIntBits(t) << 23) + 0x3F800000);
        float m = Math.fma(expm1Reduced(r), scale, scale - 1.0f);
        float q = quotient(-m, 2.0f, m);
        return Float.intBitsToFloat(Float.floatToRawIntBits(q) | (Float.floatToRawIntBits(x) & 0x80000000));
    }

    /** {@code e^r - 1} for |r| ≤ ln(2)/2. */
    private static float expm1Reduced(float r) {
        float p = Math.fma(E6, r, E5);
        p = Math.fma(p, r, E4);
        p = Math.fma(p, r, E3);
        p = Math.fma(p, r, E2);
        return Math.fma(p * r, r, r);
    }

    /** {@code z - n·ln 2}. */
    private static float reduce(float z, float n) {
        return Math.fma(n, LN2_EXCESS, Math.fma(n, -LN2_HIGH, z));
    }

    /** {@code num / (one + e)} for a sum in [1,2]. */
    private static float quotient(float num, float one, float e) {
        float d = one + e;
        float r = Math.fma(Math.fma(G2, d, G1), d, G0);
        float error = Math.fma(-d, r, 1.0f);
        r = Math.fma(r, Math.fma(error, error, error), r);
        float q = num * r;
        float residual = Math.fma(-q, e, Math.fma(-one, q, num));
        return Math.fma(residual, r, q);
    }
}

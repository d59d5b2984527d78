package io.github.cellfuse.jvm;

import io.github.cellfuse.Activation;

/**
 * The functions of a cell as the numerical contract defines them. The operations are the same as in
 * {@code kernels/activations.cl} and {@code kernels/cell_functions.cl}; every change here must be made there too.
 * {@code docs/design/numerics.md} derives the errors: at most 1.51 ulp for sigmoid and 1.96 ulp for tanh over all 2³²
 * inputs. Both are monotonic, exact at ±0, saturate at ±∞ and return NaN for NaN. Thread safe.
 */
public final class Activations {
    /** 1.5·2²³: adding it rounds to an integer, which is then in the low bits. */
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

    /** Approximates 1/d on [1,2] as G0 + d·(G1 + d·G2), which is exact at 1 and 2. */
    static final float G0 = 2.1875f, G1 = -1.53125f, G2 = 0.34375f;

    /** 2·artanh(s/2) = s + s³·(A3 + s²·(A5 + s²·(A7 + s²·A9))), for s ≤ 2/3. */
    private static final float A3 = 0x1.555502p-4f, A5 = 0x1.99d1ccp-7f, A7 = 0x1.1ec042p-9f, A9 = 0x1.1eca06p-11f;

    private Activations() {}

    /** Returns {@code 1 / (1 + e^-x)}. */
    public static float sigmoid(float x) {
        float z = -Math.abs(x);
        z = z < -104.0f ? -104.0f : z;
        float t = Math.fma(z, LOG2_E, ROUND_TO_INT);
        float r = reduce(z, t - ROUND_TO_INT);
        float scale = Float.intBitsToFloat((Float.floatToRawIntBits(t) << 23) + 0x4F800000);
        float e = Math.fma(expm1Reduced(r), scale, scale) * 0x1p-32f;
        return quotient(x < 0.0f ? e : 1.0f, 1.0f, e);
    }

    /** Returns the hyperbolic tangent. */
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

    /** Returns {@code activation} of {@code x}. */
    public static float apply(Activation activation, float x) {
        float alpha = activation.alpha(), beta = activation.beta();
        return switch (activation.function()) {
            case SIGMOID -> sigmoid(x);
            case TANH -> tanh(x);
            case RELU -> x <= 0.0f ? 0.0f : x;
            case AFFINE -> Math.fma(alpha, x, beta);
            case LEAKY_RELU -> x < 0.0f ? alpha * x : x;
            case THRESHOLDED_RELU -> x < alpha ? 0.0f : x;
            case SCALED_TANH -> alpha * tanh(beta * x);
            case HARD_SIGMOID -> hardSigmoid(x, alpha, beta);
            case ELU -> x < 0.0f ? alpha * expm1OfNegative(x) : x;
            case SOFTSIGN -> softsign(x);
            case SOFTPLUS -> softplus(x);
        };
    }

    private static float hardSigmoid(float x, float alpha, float beta) {
        float y = Math.fma(alpha, x, beta);
        y = y < 0.0f ? 0.0f : y;
        return y > 1.0f ? 1.0f : y;
    }

    /** Returns {@code e^x - 1} for x ≤ 0. */
    private static float expm1OfNegative(float x) {
        float z = x < -20.0f ? -20.0f : x;
        float t = Math.fma(z, LOG2_E, ROUND_TO_INT);
        float r = reduce(z, t - ROUND_TO_INT);
        float scale = Float.intBitsToFloat((Float.floatToRawIntBits(t) << 23) + 0x3F800000);
        return Math.fma(expm1Reduced(r), scale, scale - 1.0f);
    }

    private static float softsign(float x) {
        float a = Math.abs(x);
        a = a > 0x1p26f ? 0x1p26f : a;
        float one = Float.intBitsToFloat(0x7F000000 - (Float.floatToRawIntBits(1.0f + a) & 0x7F800000));
        float num = a * one;
        float d = one + num;
        float r = Math.fma(Math.fma(G2, d, G1), d, G0);
        float error = Math.fma(-d, r, 1.0f);
        r = Math.fma(r, Math.fma(error, error, error), r);
        float q = num * r;
        float lost = a < 1.0f ? num - (d - one) : one - (d - num);
        float residual = Math.fma(-q, lost, Math.fma(-q, d, num));
        q = Math.fma(residual, r, q);
        return Float.intBitsToFloat(Float.floatToRawIntBits(q) | (Float.floatToRawIntBits(x) & 0x80000000));
    }

    private static float softplus(float x) {
        float z = -Math.abs(x);
        z = z < -104.0f ? -104.0f : z;
        float t = Math.fma(z, LOG2_E, ROUND_TO_INT);
        float r = reduce(z, t - ROUND_TO_INT);
        float scale = Float.intBitsToFloat((Float.floatToRawIntBits(t) << 23) + 0x4F800000);
        float m = expm1Reduced(r);
        float e = Math.fma(m, scale, scale);
        float u = e * 0x1p-32f, lost = Math.fma(m, scale, scale - e) * 0x1p-32f;
        float s = quotient(u, 1.0f, 0.5f * u);
        float w = s * s;
        float p = Math.fma(A9, w, A7);
        p = Math.fma(p, w, A5);
        p = Math.fma(p, w, A3);
        float slope = Math.fma(0.5f, w, 1.0f - s);
        float log1p = s + Math.fma(p * w, s, lost * slope);
        return (x > 0.0f ? x : 0.0f) + log1p;
    }

    /** Returns {@code e^r - 1} for |r| ≤ ln(2)/2. */
    private static float expm1Reduced(float r) {
        float p = Math.fma(E6, r, E5);
        p = Math.fma(p, r, E4);
        p = Math.fma(p, r, E3);
        p = Math.fma(p, r, E2);
        return Math.fma(p * r, r, r);
    }

    /** Returns {@code z - n·ln 2}. */
    private static float reduce(float z, float n) {
        return Math.fma(n, LN2_EXCESS, Math.fma(n, -LN2_HIGH, z));
    }

    /** Returns {@code num / (one + e)} for a sum in [1,2]. */
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

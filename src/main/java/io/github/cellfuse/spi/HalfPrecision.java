package io.github.cellfuse.spi;

/**
 * Conversions between float32 and two 16-bit floating-point formats: IEEE 754 binary16 (float16) and the upper half of
 * a float32 (bfloat16). Conversion to 16 bits rounds to nearest, ties to even, denormals included; conversion to
 * float32 is exact. NaN stays NaN. Thread safe.
 */
public final class HalfPrecision {
    /**
     * The bits of 65520, halfway between the largest float16 number and the next power of two: from here on, values
     * round to infinity.
     */
    private static final int FLOAT16_OVERFLOW = 0x477F_F000;

    /** The bits of 2⁻¹⁴, the smallest normal float16 number. */
    private static final int FLOAT16_MIN_NORMAL = 0x3880_0000;

    private static final int INFINITY = 0x7F80_0000;

    private HalfPrecision() {}

    /** Returns the bits of the float16 number nearest to {@code value}; infinity from 65520 on. */
    public static short floatToFloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000, magnitude = bits & 0x7FFF_FFFF;
        if (magnitude > INFINITY) {
            return (short) (sign | 0x7E00 | magnitude >>> 13 & 0x3FF); // quiet, as a payload of zeros would be infinity
        }
        if (magnitude >= FLOAT16_OVERFLOW) {
            return (short) (sign | 0x7C00);
        }
        if (magnitude < FLOAT16_MIN_NORMAL) {
            // The last place of 0.5 is 2^-24, that of denormal float16 numbers, so the addition rounds where they end.
            return (short) (sign | Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) & 0x7FF);
        }
        int rebiased = magnitude - (127 - 15 << 23);
        return (short) (sign | rebiased + 0xFFF + (magnitude >>> 13 & 1) >>> 13);
    }

    /** Returns the exact value of a float16 number with these bits. */
    public static float float16ToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = half >>> 10 & 0x1F;
        int mantissa = half & 0x3FF;
        if (exponent == 0) {
            // Zero and denormals: mantissa · 2^-24, which is a normal number in float32.
            float magnitude = mantissa * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        int wideExponent = exponent == 0x1F ? 0xFF : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | wideExponent << 23 | mantissa << 13);
    }

    /**
     * Returns the bits of the bfloat16 number nearest to {@code value}; infinity beyond the largest one, which is near
     * float32's.
     */
    public static short floatToBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if ((bits & 0x7FFF_FFFF) > INFINITY) {
            return (short) (bits >>> 16 | 0x40); // quiet, as a payload of zeros would be infinity
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /** Returns the exact value of a bfloat16 number with these bits. */
    public static float bfloat16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}

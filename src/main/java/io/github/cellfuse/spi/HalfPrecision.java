package io.github.cellfuse.spi;

/**
 * Conversions between float32 and the two floating-point formats of 16 bits: IEEE 754's binary16 (float16) and the upper half of a
 * float32 (bfloat16). Down is rounded to nearest, ties to even, denormals included; up is exact. NaN stays NaN. Thread safe.
 */
public final class HalfPrecision {
    /** The bits of 65520, halfway between float16's largest number and what would be the next: it and more become infinity. */
    private static final int FLOAT16_OVERFLOW = 0x477F_F000;

    /** The bits of 2⁻¹⁴, float16's smallest normal number. */
    private static final int FLOAT16_MIN_NORMAL = 0x3880_0000;

    private static final int INFINITY = 0x7F80_0000;

    private HalfPrecision() {}

    /** The bits of the float16 nearest to {@code value}; of an infinity from 65520 on. */
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
            // The last place of 0.5 is 2^-24, which is float16's denormals': the sum is rounded where they end.
            return (short) (sign | Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) & 0x7FF);
        }
        int rebiased = magnitude - (127 - 15 << 23);
        return (short) (sign | rebiased + 0xFFF + (magnitude >>> 13 & 1) >>> 13);
    }

    /** The float16 of these bits, exactly. */
    public static float float16ToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = half >>> 10 & 0x1F;
        int mantissa = half & 0x3FF;
        if (exponent == 0) {
            // Zero and subnormals: mantissa · 2^-24, which float32 holds as a normal number.
            float magnitude = mantissa * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        int wideExponent = exponent == 0x1F ? 0xFF : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | wideExponent << 23 | mantissa << 13);
    }

    /** The bits of the bfloat16 nearest to {@code value}; of an infinity beyond its largest number, which is near float32's. */
    public static short floatToBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if ((bits & 0x7FFF_FFFF) > INFINITY) {
            return (short) (bits >>> 16 | 0x40); // quiet, as a payload of zeros would be infinity
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /** The bfloat16 of these bits, exactly. */
    public static float bfloat16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}

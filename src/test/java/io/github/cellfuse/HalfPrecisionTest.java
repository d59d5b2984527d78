package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both 16-bit formats, all of their values, and every place where rounding turns from one to the next. */
class HalfPrecisionTest {
    private static final int VALUES = 1 << 16, SIGN = 1 << 15;

    /** The bits of infinity; what is below is finite, what is above is NaN. */
    private static int infinity(WeightPrecision format) {
        return format == WeightPrecision.F16 ? 0x7C00 : 0x7F80;
    }

    /** What the bits mean, by the standard's definition: exact in double. */
    private static double meaning(WeightPrecision format, int bits) {
        int mantissaBits = format == WeightPrecision.F16 ? 10 : 7, bias = format == WeightPrecision.F16 ? 15 : 127;
        int magnitude = bits & SIGN - 1, exponent = magnitude >> mantissaBits;
        int fraction = magnitude & (1 << mantissaBits) - 1;
        double sign = bits < SIGN ? 1 : -1;
        if (magnitude > infinity(format)) {
            return Double.NaN;
        }
        if (magnitude == infinity(format)) {
            return sign * Double.POSITIVE_INFINITY;
        }
        int significand = exponent == 0 ? fraction : fraction + (1 << mantissaBits);
        return sign * Math.scalb((double) significand, Math.max(1, exponent) - bias - mantissaBits);
    }

    @ParameterizedTest
    @EnumSource(
            value = WeightPrecision.class,
            names = {"F16", "BF16"})
    void everyValueIsWhatTheStandardSaysAndComesBack(WeightPrecision format) {
        for (int bits = 0; bits < VALUES; bits++) {
            float value = format.fromBits(bits);
            assertEquals(meaning(format, bits), (double) value, format + " " + Integer.toHexString(bits));
            int back = format.toBits(value);
            if (Float.isNaN(value)) {
                assertTrue((back & SIGN - 1) > infinity(format), "a NaN stays one: " + Integer.toHexString(bits));
            } else {
                assertEquals(bits, back, format + " " + value);
            }
        }
    }

    /** Between any two neighbours the middle goes to the even one, and the floats beside it to the nearer one. */
    @ParameterizedTest
    @EnumSource(
            value = WeightPrecision.class,
            names = {"F16", "BF16"})
    void everyTieGoesToTheEvenNeighbour(WeightPrecision format) {
        for (int bits = 0; bits < infinity(format); bits++) {
            double low = meaning(format, bits);
            // The last finite value's neighbour is where the next number would be.
            double high = bits + 1 < infinity(format) ? meaning(format, bits + 1) : 2 * low - meaning(format, bits - 1);
            float middle = (float) ((low + high) / 2);
            assertEquals((low + high) / 2, middle, "a float, so that it is the tie");
            int even = bits % 2 == 0 ? bits : bits + 1;
            for (int sign : new int[] {0, SIGN}) {
                float signed = sign == 0 ? middle : -middle;
                assertEquals(sign | even, format.toBits(signed), format + " at " + signed);
                assertEquals(sign | bits, format.toBits(towardsZero(signed)), format + " below " + signed);
                assertEquals(sign | bits + 1, format.toBits(awayFromZero(signed)), format + " above " + signed);
            }
        }
    }

    private static float towardsZero(float value) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(value) - 1);
    }

    private static float awayFromZero(float value) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(value) + 1);
    }

    /** 65536 floats of every sign and exponent; {@code numpy.float32.astype(numpy.float16)} gives this hash. */
    @Test
    void float16IsNumpys() {
        int hash = 0;
        for (int k = 0; k < VALUES; k++) {
            float value = Float.intBitsToFloat(k * 65537);
            int bits = WeightPrecision.F16.toBits(value);
            hash = 31 * hash + (Float.isNaN(value) ? 0x7E00 : bits);
        }
        assertEquals(0xDD4E2C00, hash);
    }

    @ParameterizedTest
    @EnumSource(
            value = WeightPrecision.class,
            names = {"F16", "BF16"})
    void everyNanAndInfinityOfFloat32StaysWhatItIs(WeightPrecision format) {
        for (int payload = 1; payload < 1 << 23; payload++) {
            float nan = Float.intBitsToFloat(0x7F800000 | payload);
            if (!Float.isNaN(format.round(nan))) {
                throw new AssertionError(format + " of NaN with payload " + Integer.toHexString(payload));
            }
        }
        assertEquals(Float.POSITIVE_INFINITY, format.round(Float.POSITIVE_INFINITY));
        assertEquals(Float.NEGATIVE_INFINITY, format.round(Float.NEGATIVE_INFINITY));
        assertTrue(Bits.same(-0.0f, format.round(-0.0f)));
        assertTrue(Bits.same(-0.0f, format.round(format == WeightPrecision.F16 ? -0x1p-26f : -Float.MIN_VALUE)));
    }

    private static LstmWeights weights(float[] recurrent) {
        return LstmWeights.builder(5, 3)
                .input(new float[4 * 3 * 5])
                .recurrent(recurrent)
                .inputBias(new float[12])
                .projection(new float[2 * 3], 2)
                .build();
    }

    /** {@code value} stands in the reverse direction's recurrent weights. */
    private static LstmModel model(float value) {
        float[] recurrent = new float[4 * 3 * 2];
        Arrays.fill(recurrent, 0.1f);
        recurrent[2 * 7 + 1] = value;
        return new LstmModel(Direction.BIDIRECTIONAL, List.of(List.of(weights(new float[24]), weights(recurrent))));
    }

    @Test
    void aWeightThatOverflowsIsNamed() {
        assertEquals(
                65504f,
                WeightPrecision.F16.round(model(65519.996f)).weights(0, 1).recurrent()[15]);
        InvalidInputException e =
                assertThrows(InvalidInputException.class, () -> WeightPrecision.F16.round(model(-65520f)));
        assertEquals(
                "layer 0, reverse, recurrent weights [4H,P] at [7,1]: -65520.0 is more than float16 holds; store the"
                        + " weights as bf16",
                e.getMessage());
        assertEquals(
                -65536f,
                WeightPrecision.BF16.round(model(-65520f)).weights(0, 1).recurrent()[15]);
        e = assertThrows(InvalidInputException.class, () -> WeightPrecision.BF16.round(model(Float.MAX_VALUE)));
        assertTrue(e.getMessage().contains("more than bfloat16 holds; store the weights as f32"), e.getMessage());
        float infinite = WeightPrecision.F16
                .round(model(Float.POSITIVE_INFINITY))
                .weights(0, 1)
                .recurrent()[15];
        assertEquals(Float.POSITIVE_INFINITY, infinite, "what is infinite already doesn't overflow");
        for (Device device : TestEngines.all()) {
            EngineOptions options = EngineOptions.DEFAULT.withWeights(WeightPrecision.F16);
            e = assertThrows(
                    InvalidInputException.class, () -> LstmEngine.open(device, model(-65520f), options), "" + device);
            assertTrue(e.getMessage().contains("at [7,1]"), device + ": " + e.getMessage());
        }
    }

    @Test
    void weightsAreRoundedOnceAndBiasesNever() {
        LstmModel model = model(0.3f);
        LstmWeights before = model.weights(0, 1);
        LstmModel rounded = WeightPrecision.BF16.round(model);
        LstmWeights after = rounded.weights(0, 1);
        assertEquals(0.30078125f, after.recurrent()[15]);
        assertEquals(0.3f, before.recurrent()[15], "the caller's arrays stay as they are");
        assertSame(before.inputBias().orElseThrow(), after.inputBias().orElseThrow());
        assertTrue(after.recurrentBias().isEmpty());
        Bits.assertSame(
                "twice",
                after.recurrent(),
                WeightPrecision.BF16.round(rounded).weights(0, 1).recurrent());
        assertTrue(WeightPrecision.F32.round(model) == model);
        // Per direction W 60, R 24, S 6 and the bias of 12 floats.
        assertEquals(2 * (90 * 4 + 48), WeightPrecision.F32.bytes(model));
        assertEquals(2 * (90 * 2 + 48), WeightPrecision.F16.bytes(model));
    }
}

package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.jvm.Activations;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * All 2³² floats through sigmoid and tanh: the device and Java agree in every bit; no result is further than 2 ulp from
 * the exact value; both functions are monotone. {@code bin/test -Dtest=EveryFloatTest -Dcellfuse.stride=1} is the whole
 * of it.
 */
@Tag("long")
class EveryFloatTest {
    private static final int BLOCK = 1 << 22;

    /** Floats that lie this many apart are tried; 1 tries all. */
    private static final int STRIDE = Integer.getInteger("cellfuse.stride", 1);

    /** The bits of the first float that is tried, less than the stride. */
    private static final int FIRST = Integer.getInteger("cellfuse.first", 0);

    private final AtomicLong sigmoidWorst = new AtomicLong();
    private final AtomicLong tanhWorst = new AtomicLong();

    @Test
    void agreeInEveryBitAndAreWithinTwoUlp() {
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue();
                ClBuffer in = context.buffer("x", 4L * BLOCK, ClBuffer.Access.READ_ONLY);
                ClBuffer s = context.buffer("sigmoid", 4L * BLOCK, ClBuffer.Access.WRITE_ONLY);
                ClBuffer t = context.buffer("tanh", 4L * BLOCK, ClBuffer.Access.WRITE_ONLY)) {
            Tile tile = DeviceTraits.of(context.device().capabilities()).largestTile();
            Kernel kernel = new Programs(context).kernel(KernelSource.STATE, tile, "lstm_activations");
            kernel.set("x", in).set("s", s).set("t", t);
            Transfers transfers = new Transfers(queue);
            float[] x = new float[BLOCK], sigmoid = new float[BLOCK], tanh = new float[BLOCK];
            long count = 0;
            for (long first = 0; first < 1L << 32; first += (long) BLOCK * STRIDE) {
                for (int k = 0; k < BLOCK; k++) {
                    x[k] = Float.intBitsToFloat((int) (FIRST + first + (long) k * STRIDE));
                }
                transfers.write(in, 0, BLOCK, view -> view.put(0, x));
                queue.launch(kernel.ready(), NdRange.of(BLOCK / tile.vec()).local(64));
                transfers.read(s, 0, BLOCK, view -> view.get(0, sigmoid));
                transfers.read(t, 0, BLOCK, view -> view.get(0, tanh));
                IntStream.range(0, 256)
                        .parallel()
                        .forEach(part -> check(x, sigmoid, tanh, part * (BLOCK / 256), (part + 1) * (BLOCK / 256)));
                count += BLOCK;
            }
            System.out.printf(
                    Locale.ROOT,
                    "%d floats (-Dcellfuse.stride=%d -Dcellfuse.first=%d):"
                            + " sigmoid at most %.4f ulp, tanh at most %.4f ulp%n",
                    count,
                    STRIDE,
                    FIRST,
                    Double.longBitsToDouble(sigmoidWorst.get()),
                    Double.longBitsToDouble(tanhWorst.get()));
            assertEquals((1L << 32) / STRIDE, count);
        }
        assertTrue(Double.longBitsToDouble(sigmoidWorst.get()) <= 2);
        assertTrue(Double.longBitsToDouble(tanhWorst.get()) <= 2);
    }

    private void check(float[] x, float[] sigmoid, float[] tanh, int from, int to) {
        double worstSigmoid = 0, worstTanh = 0;
        for (int k = from; k < to; k++) {
            float v = x[k], s = Activations.sigmoid(v), t = Activations.tanh(v);
            same("sigmoid", v, s, sigmoid[k]);
            same("tanh", v, t, tanh[k]);
            float size = Math.abs(v);
            if (v != v) {
                assertTrue(s != s && t != t, "NaN in, NaN out");
                continue;
            }
            // Where the nearest float is known without a calculation, being it is being within half an ulp.
            boolean saturated = size >= 128 && s == (v > 0 ? 1.0f : 0.0f) && t == Math.signum(v);
            boolean tiny = size < 0x1p-26f && s == 0.5f && t == v;
            if (!saturated && !tiny) {
                double exactS = exactSigmoid(v), exactT = exactTanh(v);
                worstSigmoid = Math.max(worstSigmoid, Math.abs(s - exactS) / ulp(exactS));
                worstTanh = Math.max(worstTanh, Math.abs(t - exactT) / ulp(exactT));
            }
            float next = Float.intBitsToFloat(Float.floatToRawIntBits(v) + STRIDE);
            if (size < Float.POSITIVE_INFINITY && next == next) {
                // Floats of one sign come in rising order of magnitude.
                boolean rising = v >= 0 && Float.floatToRawIntBits(v) >= 0;
                float s2 = k + 1 < BLOCK ? sigmoid[k + 1] : Activations.sigmoid(next);
                float t2 = k + 1 < BLOCK ? tanh[k + 1] : Activations.tanh(next);
                assertTrue(
                        rising ? s2 >= s && t2 >= t : s2 <= s && t2 <= t,
                        () -> "not monotone at " + Float.toHexString(v));
            }
        }
        raise(sigmoidWorst, worstSigmoid);
        raise(tanhWorst, worstTanh);
    }

    private static void raise(AtomicLong worst, double value) {
        // The bits of positive doubles are in the order of their values.
        worst.accumulateAndGet(Double.doubleToLongBits(value), Math::max);
    }

    private static void same(String function, float x, float java, float device) {
        if (Float.floatToIntBits(java) != Float.floatToIntBits(device)) {
            throw new AssertionError(function + "(" + Float.toHexString(x) + "): java " + Float.toHexString(java)
                    + ", device " + Float.toHexString(device));
        }
    }

    /** In double precision, and by what the function tends to where that is exact to double precision and quicker. */
    private static double exactSigmoid(double x) {
        if (Math.abs(x) < 0x1p-14) {
            return 0.5 + x / 4;
        }
        if (x > 40) {
            return 1;
        }
        if (x < -110) {
            return 0;
        }
        double e = Math.exp(-Math.abs(x));
        return (x < 0 ? e : 1) / (1 + e);
    }

    private static double exactTanh(double x) {
        if (Math.abs(x) < 0x1p-12) {
            return x - x * x * x / 3;
        }
        if (Math.abs(x) > 20) {
            return Math.signum(x);
        }
        double m = Math.expm1(-2 * Math.abs(x));
        return Math.copySign(-m / (2 + m), x);
    }

    /** The distance of floats around {@code value}. */
    private static double ulp(double value) {
        int exponent = Math.max(Math.getExponent(value), Float.MIN_EXPONENT);
        return Math.scalb(1.0, exponent - 23);
    }
}

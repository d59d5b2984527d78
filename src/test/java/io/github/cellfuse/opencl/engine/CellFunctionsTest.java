package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.jvm.Activations;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.program.CellOptions;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.reference.LstmCell;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The functions of a cell over floats of every size, on every device: the twin's bits, within 2 ulp of double precision
 * (a scaled tanh: 4), NaN in NaN out. Every {@code cellfuse.function.stride}-th of the 2³² floats; 1 takes minutes for
 * each function.
 */
class CellFunctionsTest {
    private static final int STRIDE = Integer.getInteger("cellfuse.function.stride", 4099);
    private static final int BLOCK = 1 << 18;

    @ParameterizedTest
    @EnumSource(ActivationFunction.class)
    void everyDeviceHasTheTwinsBitsWithinTwoUlp(ActivationFunction function) {
        for (Activation activation : variants(function)) {
            double worst = 0;
            for (ClDevice device : TestDevices.list()) {
                worst = Math.max(worst, sweep(device, activation));
            }
            System.out.printf(Locale.ROOT, "%s: at most %.4f ulp%n", activation, worst);
            assertTrue(worst <= limit(activation), activation + ": " + worst + " ulp");
        }
    }

    /** α times a tanh of 2 ulp may be off by 4, as an ulp is worth between once and twice as much in a product. */
    private static double limit(Activation activation) {
        boolean scaled = activation.function() == ActivationFunction.SCALED_TANH;
        return scaled && !activation.equals(Activation.of(ActivationFunction.SCALED_TANH)) ? 4 : 2;
    }

    /** With the default parameters, and with others where it has some. */
    private static Activation[] variants(ActivationFunction function) {
        return function.hasAlpha()
                ? new Activation[] {Activation.of(function), new Activation(function, 1.7f, 0.75f)}
                : new Activation[] {Activation.of(function)};
    }

    private static double sweep(ClDevice device, Activation activation) {
        AtomicLong worst = new AtomicLong();
        try (ClContext context = device.open();
                ClQueue queue = context.queue();
                ClBuffer in = context.buffer("x", 4L * BLOCK, ClBuffer.Access.READ_ONLY);
                ClBuffer out = context.buffer("y", 4L * BLOCK, ClBuffer.Access.WRITE_ONLY);
                Kernel kernel = new Programs(context)
                        .kernel(
                                KernelSource.CELL_FUNCTION,
                                DeviceTraits.of(device.capabilities()).largestTile(),
                                CellOptions.of(activation.function()),
                                "lstm_cell_function")) {
            kernel.set("x", in).set("y", out);
            kernel.set("alpha", activation.alpha()).set("beta", activation.beta());
            Transfers transfers = new Transfers(queue);
            float[] x = new float[BLOCK], y = new float[BLOCK];
            int lanes = DeviceTraits.of(device.capabilities()).largestTile().vec();
            for (long first = 0; first < 1L << 32; first += (long) BLOCK * STRIDE) {
                for (int k = 0; k < BLOCK; k++) {
                    x[k] = Float.intBitsToFloat((int) (first + (long) k * STRIDE));
                }
                transfers.write(in, 0, BLOCK, view -> view.put(0, x));
                queue.launch(kernel.ready(), NdRange.of(BLOCK / lanes).local(64));
                transfers.read(out, 0, BLOCK, view -> view.get(0, y));
                IntStream.range(0, BLOCK).parallel().forEach(k -> {
                    double error = check(activation, x[k], y[k]);
                    worst.accumulateAndGet(Double.doubleToLongBits(error), Math::max);
                });
            }
        }
        return Double.longBitsToDouble(worst.get());
    }

    /** The error in units in the last place. */
    private static double check(Activation activation, float x, float found) {
        float twin = Activations.apply(activation, x);
        if (Float.floatToIntBits(twin) != Float.floatToIntBits(found)) {
            throw new AssertionError(activation + " of " + Float.toHexString(x) + ": java " + Float.toHexString(twin)
                    + ", device " + Float.toHexString(found));
        }
        double exact = LstmCell.apply(activation, x);
        if (Double.isNaN(exact)) {
            assertTrue(Float.isNaN(found), "NaN in, NaN out");
            return 0;
        }
        if ((float) exact == found) {
            return 0;
        }
        int exponent = Math.max(Math.getExponent(exact), Float.MIN_EXPONENT);
        return Math.abs(found - exact) / Math.scalb(1.0, Math.min(exponent, Float.MAX_EXPONENT) - 23);
    }
}

package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The rate of the clock that kernels read, {@code kernels/clock.cl}, measured once per device and process. */
final class DeviceClock {
    private static final Map<String, Double> RATES = new ConcurrentHashMap<>();
    private static final int MEASUREMENTS = 3;
    /** Long enough to measure the rate to a few percent. */
    private static final long NANOS_BETWEEN = 2_000_000;

    /** A slower clock stands still, or nearly: whoever waits a millisecond has to see it go on. */
    private static final double SLOWEST = 1e4;
    /** A faster one goes round within two seconds of waiting, if it goes forward at all. */
    private static final double FASTEST = 1e9;

    private DeviceClock() {}

    /** The device's clock doesn't tell how long a work-item has waited, so none may wait. */
    static final class UnusableException extends CellFuseException {
        private static final long serialVersionUID = 1L;

        private UnusableException(String message) {
            super(message);
        }
    }

    /**
     * Returns the units of the clock in a second.
     *
     * @param readClock opens the kernel {@code lstm_clock}; called only for a device that hasn't been measured
     * @throws UnusableException if the clock stands still or makes no sense
     */
    static double unitsPerSecond(ClContext context, Supplier<Kernel> readClock) {
        String device = context.device().toString();
        double rate = KernelSource.areReplaced() // by kernels that may change at any time
                ? measure(context, readClock.get())
                : RATES.computeIfAbsent(device, any -> measure(context, readClock.get()));
        if (!(rate >= SLOWEST && rate <= FASTEST)) {
            throw new UnusableException(String.format(
                    Locale.ROOT, "%s: its clock makes %.0f ticks in a second, so nobody waits by it", device, rate));
        }
        return rate;
    }

    /** Takes the median, because this thread may be interrupted between two readings. */
    private static double measure(ClContext context, Kernel readClock) {
        double[] rates = new double[MEASUREMENTS];
        try (ClQueue queue = context.queue();
                ClBuffer now = context.buffer("clock", Integer.BYTES, ClBuffer.Access.WRITE_ONLY)) {
            readClock.set("now", now);
            read(queue, readClock, now); // compiles
            for (int k = 0; k < rates.length; k++) {
                int first = read(queue, readClock, now);
                long started = System.nanoTime();
                while (System.nanoTime() - started < NANOS_BETWEEN) {
                    Thread.onSpinWait();
                }
                int last = read(queue, readClock, now);
                rates[k] = Integer.toUnsignedLong(last - first) / ((System.nanoTime() - started) * 1e-9);
            }
        }
        Arrays.sort(rates);
        return rates[MEASUREMENTS / 2];
    }

    private static int read(ClQueue queue, Kernel readClock, ClBuffer now) {
        ByteBuffer value = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());
        queue.launch(readClock.ready(), NdRange.of(1).local(1));
        queue.read(now, 0, value);
        return value.getInt(0);
    }
}

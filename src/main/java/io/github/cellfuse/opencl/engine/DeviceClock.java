package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Kernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The rate of the clock that kernels read, {@code kernels/clock.cl}, measured once per device and process. */
final class DeviceClock {
    private static final Map<String, Double> RATES = new ConcurrentHashMap<>();
    private static final int MEASUREMENTS = 3;
    /** Long enough to measure the rate to a few percent. */
    private static final long NANOS_BETWEEN = 2_000_000;

    private DeviceClock() {}

    /**
     * Returns the units of the clock in a second.
     *
     * @param readClock opens the kernel {@code lstm_clock}; called only for a device that hasn't been measured
     */
    static double unitsPerSecond(ClContext context, Supplier<Kernel> readClock) {
        return RATES.computeIfAbsent(context.device().toString(), device -> measure(context, readClock.get()));
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

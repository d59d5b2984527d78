package io.github.cellfuse.bench.peers;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** Waits until this process is idle: until its threads that spin for more work have stopped. */
final class Rest {
    private static final double LONGEST_SECONDS = 3;
    /** Process times come in ticks of 10 ms, so a shorter window could not tell a spinning thread from none. */
    private static final int WINDOW_MILLIS = 40;
    /** Of the window, on one core: a tick that falls into it by accident is allowed. */
    private static final double MOST_BUSY = 0.3;

    private Rest() {}

    /**
     * Waits at most {@value #LONGEST_SECONDS} s. Returns the seconds until the process was idle, NaN if it never was.
     */
    static double await() {
        if (!(ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system)) {
            throw new IllegalStateException("this Java doesn't tell the processor time of its own process");
        }
        long start = System.nanoTime();
        double waited = 0;
        while (waited < LONGEST_SECONDS) {
            long from = System.nanoTime(), cpuFrom = system.getProcessCpuTime();
            try {
                Thread.sleep(WINDOW_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Double.NaN;
            }
            double busy = (double) (system.getProcessCpuTime() - cpuFrom) / (System.nanoTime() - from);
            if (busy < MOST_BUSY) {
                return waited;
            }
            waited = (System.nanoTime() - start) * 1e-9;
        }
        return Double.NaN;
    }
}

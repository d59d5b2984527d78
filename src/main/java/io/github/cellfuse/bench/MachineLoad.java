package io.github.cellfuse.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How busy the processors were for a while.
 *
 * @param others the share of their time in which they worked for other programs, 0 to 1
 * @param isDisturbing whether that made a measurement slower
 */
record MachineLoad(double others, boolean isDisturbing) {
    /** Less than this is the operating system's own work. */
    private static final double OTHERS = 0.1;

    /** From this share on, something that needs a processor has to wait for one. */
    private static final double FULL = 0.9;

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** Begins to watch; a process can watch one period at a time. */
    static void begin() {
        end(true);
    }

    /**
     * Returns the load since {@link #begin()}; 0 if the system doesn't tell.
     *
     * @param usesAll whether what was measured uses all processors, so that every other program takes its time
     */
    static MachineLoad end(boolean usesAll) {
        return of(Math.max(0, SYSTEM.getCpuLoad()), Math.max(0, SYSTEM.getProcessCpuLoad()), usesAll);
    }

    /**
     * Returns the load of processors that work for the share {@code all} of their time, for this process {@code own}.
     */
    static MachineLoad of(double all, double own, boolean usesAll) {
        double others = Math.max(0, all - own);
        return new MachineLoad(others, others > OTHERS && (usesAll || all > FULL));
    }
}

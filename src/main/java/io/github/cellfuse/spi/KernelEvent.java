package io.github.cellfuse.spi;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * A launch of a kernel in a recording of the JDK's Flight Recorder. Not enabled unless asked for: timing launches makes
 * them slower. Loaded only where {@link FlightRecords} finds the recorder.
 */
@Name("cellfuse.Kernel")
@Label("Kernel")
@Category("CellFuse")
@Description("A launch of a kernel, timed by the device's clock; recorded when its run has ended")
@Enabled(false)
@StackTrace(false)
final class KernelEvent extends Event {
    /** Only asked, never recorded. */
    private static final KernelEvent PROBE = new KernelEvent();

    @Label("Device")
    private String device;

    @Label("Kernel")
    private String kernel;

    @Label("Started")
    @Description("After the first kernel of the run")
    @Timespan(Timespan.NANOSECONDS)
    private long started;

    @Label("Running")
    @Timespan(Timespan.NANOSECONDS)
    private long running;

    /** Returns whether anybody records kernels. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }

    /** Records a launch. */
    static void record(String device, String kernel, long started, long running) {
        KernelEvent event = new KernelEvent();
        if (event.shouldCommit()) {
            event.device = device;
            event.kernel = kernel;
            event.started = started;
            event.running = running;
            event.commit();
        }
    }
}

package io.github.cellfuse.spi;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * A copy of a batch to a device or from it, in a recording of the JDK's Flight Recorder. Not enabled unless asked for:
 * a run that is recorded moves nothing while kernels run. Loaded only where {@link FlightRecords} finds the recorder.
 */
@Name("cellfuse.Transfer")
@Label("Transfer")
@Category("CellFuse")
@Description("A batch's x on its way to a device, or its y on the way back, by the host's clock")
@Enabled(false)
@StackTrace(false)
final class TransferEvent extends Event {
    /** Only asked, never recorded. */
    private static final TransferEvent PROBE = new TransferEvent();

    @Label("Device")
    private String device;

    @Label("Tensor")
    @Description("x goes to the device, y comes from it")
    private String tensor;

    @Label("Bytes")
    @DataAmount
    private long bytes;

    /** Returns whether anybody records transfers. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }

    /** Returns the event of a transfer that begins now. */
    static TransferEvent begun() {
        TransferEvent event = new TransferEvent();
        event.begin();
        return event;
    }

    /** Records the transfer, which ends now. */
    void end(String on, String what, long size) {
        end();
        if (shouldCommit()) {
            device = on;
            tensor = what;
            bytes = size;
            commit();
        }
    }
}

package io.github.cellfuse.spi;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * A failure of a device in a job, in a recording of the JDK's Flight Recorder. Loaded only where {@link FlightRecords}
 * finds the recorder.
 */
@Name("cellfuse.Trouble")
@Label("Trouble")
@Category("CellFuse")
@Description("A device failed at a chunk, and the job went on")
@StackTrace(false)
final class TroubleEvent extends Event {
    /** Only asked, never recorded. */
    private static final TroubleEvent PROBE = new TroubleEvent();

    @Label("Device")
    private String device;

    @Label("First Row")
    private long firstRow;

    @Label("Rows")
    private int rows;

    @Label("Story")
    @Description("What failed, and what the job did about it")
    private String story;

    /** Returns whether anybody records failures. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }

    /** Records a failure. */
    static void record(String device, long firstRow, int rows, String story) {
        TroubleEvent event = new TroubleEvent();
        if (event.shouldCommit()) {
            event.device = device;
            event.firstRow = firstRow;
            event.rows = rows;
            event.story = story;
            event.commit();
        }
    }
}

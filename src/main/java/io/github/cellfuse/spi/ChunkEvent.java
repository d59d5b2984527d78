package io.github.cellfuse.spi;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * A chunk of a job in a recording of the JDK's Flight Recorder. Loaded only where {@link FlightRecords} finds the
 * recorder.
 */
@Name("cellfuse.Chunk")
@Label("Chunk")
@Category("CellFuse")
@Description("Rows of a batch that were read, computed and written")
@StackTrace(false)
final class ChunkEvent extends Event {
    /** Only asked, never recorded. */
    private static final ChunkEvent PROBE = new ChunkEvent();

    @Label("Device")
    private String device;

    @Label("First Row")
    private long firstRow;

    @Label("Rows")
    private int rows;

    @Label("Reading")
    @Timespan(Timespan.NANOSECONDS)
    private long reading;

    @Label("Computing")
    @Description("With the copies to the device and from it")
    @Timespan(Timespan.NANOSECONDS)
    private long computing;

    @Label("Writing")
    @Timespan(Timespan.NANOSECONDS)
    private long writing;

    /** Returns whether anybody records chunks. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }

    /** Records a chunk that is done. */
    static void record(String device, long firstRow, int rows, long reading, long computing, long writing) {
        ChunkEvent event = new ChunkEvent();
        if (event.shouldCommit()) {
            event.device = device;
            event.firstRow = firstRow;
            event.rows = rows;
            event.reading = reading;
            event.computing = computing;
            event.writing = writing;
            event.commit();
        }
    }
}

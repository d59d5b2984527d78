package io.github.cellfuse.spi;

import io.github.cellfuse.Device;

/** Tells the JDK's Flight Recorder, while it records, what happens in a job. Thread safe. */
public final class ChunkRecord {
    private ChunkRecord() {}

    /** Records a chunk that is done, with the nanoseconds that it took. */
    public static void done(Device device, long firstRow, int rows, long reading, long computing, long writing) {
        if (FlightRecords.ofChunks()) {
            ChunkEvent.record(device.toString(), firstRow, rows, reading, computing, writing);
        }
    }

    /**
     * Records a failure of a device.
     *
     * @param story one line that says what failed, and what the job does about it
     */
    public static void trouble(Device device, long firstRow, int rows, String story) {
        if (FlightRecords.ofTroubles()) {
            TroubleEvent.record(device.toString(), firstRow, rows, story);
        }
    }
}

package io.github.cellfuse.spi;

/**
 * Whether the JDK's Flight Recorder records our events. A runtime image may lack its module, so the classes of the
 * events are loaded by nothing but what asks here first.
 */
final class FlightRecords {
    private static final boolean PRESENT =
            ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private FlightRecords() {}

    /** Returns whether {@link RunEvent}s are recorded now. */
    static boolean ofRuns() {
        return PRESENT && RunEvent.isRecorded();
    }

    /** Returns whether {@link CompileEvent}s are recorded now. */
    static boolean ofPrograms() {
        return PRESENT && CompileEvent.isRecorded();
    }

    /** Returns whether {@link ChunkEvent}s are recorded now. */
    static boolean ofChunks() {
        return PRESENT && ChunkEvent.isRecorded();
    }

    /** Returns whether {@link KernelEvent}s or {@link TransferEvent}s are recorded now. */
    static boolean ofLaunches() {
        return PRESENT && (KernelEvent.isRecorded() || TransferEvent.isRecorded());
    }

    /** Returns whether {@link TroubleEvent}s are recorded now. */
    static boolean ofTroubles() {
        return PRESENT && TroubleEvent.isRecorded();
    }
}

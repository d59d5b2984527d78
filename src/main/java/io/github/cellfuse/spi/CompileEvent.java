package io.github.cellfuse.spi;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * A program that an engine needed, in a recording of the JDK's Flight Recorder. Loaded only where {@link FlightRecords}
 * finds the recorder.
 */
@Name("cellfuse.Compile")
@Label("Compile")
@Category("CellFuse")
@Description("A program for a device, compiled or taken from the program cache")
@StackTrace(false)
final class CompileEvent extends Event {
    /** Only asked, never recorded. */
    private static final CompileEvent PROBE = new CompileEvent();

    @Label("Program")
    private String program;

    @Label("Kernels")
    @Description("All kernels of the program, of which an engine may use one")
    private String kernels;

    @Label("Device")
    private String device;

    @Label("Options")
    @Description("The build options")
    private String options;

    @Label("From the Cache")
    private boolean cached;

    /** Returns whether anybody records programs. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }

    /** Returns the event of a program that is compiled or read from now on. */
    static CompileEvent begun() {
        CompileEvent event = new CompileEvent();
        event.begin();
        return event;
    }

    /** Records the program, which is there now. */
    void end(String program, String kernels, String device, String options, boolean cached) {
        end();
        if (shouldCommit()) {
            this.program = program;
            this.kernels = kernels;
            this.device = device;
            this.options = options;
            this.cached = cached;
            commit();
        }
    }
}

package io.github.cellfuse.spi;

import java.util.List;
import java.util.function.Supplier;

/** Tells the JDK's Flight Recorder, while it records, how long a program took. Belongs to the thread that compiles. */
public final class CompileReport {
    private final CompileEvent event; // null: nobody records

    private CompileReport(CompileEvent event) {
        this.event = event;
    }

    /** Returns the report of a program that is compiled, or taken from a cache, from now on. */
    public static CompileReport begin() {
        return new CompileReport(FlightRecords.ofPrograms() ? CompileEvent.begun() : null);
    }

    /**
     * Reports that the program is there. A program that doesn't compile isn't reported.
     *
     * @param program names the program
     * @param kernels returns the names of its kernels; called only if somebody wants to know
     * @param device names the device
     * @param options the build options
     * @param cached whether it came from the program cache
     */
    public void done(String program, Supplier<List<String>> kernels, String device, String options, boolean cached) {
        if (event != null) {
            event.end(program, String.join(", ", kernels.get()), device, options, cached);
        }
    }
}

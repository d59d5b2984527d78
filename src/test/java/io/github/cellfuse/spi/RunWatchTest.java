package io.github.cellfuse.spi;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Plan;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** A run that nobody wants to know of. */
class RunWatchTest {
    @Test
    void allocatesNothingIfNobodyListens() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        RunWatch watch = RunWatch.of(EngineOptions.DEFAULT);
        begin(watch); // loads the classes
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int n = 0; n < 1000; n++) {
            begin(watch);
        }
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < 1000, "1000 runs allocated " + bytes + " bytes");
    }

    private static void begin(RunWatch watch) {
        RunReport report = watch.begin();
        assertSame(RunReport.NONE, report);
        report.ready();
        report.plan(Plan.FUSED);
        report.waits();
        report.proceeds();
        report.done(null, null);
    }
}

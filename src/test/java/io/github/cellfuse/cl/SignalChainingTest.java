package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SignalChainingTest {
    private static final String DONE = "compiled";

    /**
     * Without libjsig in the process most runs of this fail, by an exception or by the end of the JVM. The process is
     * one of its own because its small heap is collected in a few milliseconds, so all threads stop more often.
     */
    @Test
    void programsCompileBesideBusyThreadsAndGarbageCollections() throws Exception {
        assertFalse(SignalChaining.isMissing(), "the tests must run with LD_PRELOAD=$JAVA_HOME/lib/libjsig.so");
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of("-XX:+UseSerialGC"), BusyMain.class);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        assertEquals(DONE, result.out().strip());
    }

    /** Compiles programs beside three busy threads and one that collects garbage all the time. */
    static final class BusyMain {
        private BusyMain() {}

        public static void main(String[] words) throws InterruptedException {
            AtomicBoolean stop = new AtomicBoolean();
            AtomicLong sink = new AtomicLong();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                threads.add(new Thread(() -> {
                    while (!stop.get()) {
                        sink.addAndGet(spin());
                    }
                }));
            }
            threads.add(new Thread(() -> {
                while (!stop.get()) {
                    System.gc(); // stops all threads
                }
            }));
            threads.forEach(Thread::start);
            try (ClContext context = TestDevices.first().open()) {
                for (int n = 0; n < 12; n++) {
                    String source =
                            "__kernel void k(__global float* x) { x[get_global_id(0)] = " + System.nanoTime() + "; }";
                    try (ClProgram program = context.program("p", List.of(source), "");
                            ClKernel kernel = program.kernel("k")) {
                        kernel.info();
                    }
                }
            } finally {
                stop.set(true);
                for (Thread thread : threads) {
                    thread.join();
                }
            }
            System.out.println(DONE);
        }

        private static long spin() {
            long sum = 0;
            for (long k = 0; k < 10_000_000; k++) {
                sum += k * 31 ^ sum;
            }
            return sum;
        }
    }
}

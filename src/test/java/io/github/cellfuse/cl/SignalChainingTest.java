package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SignalChainingTest {
    /** Without libjsig in the process most runs of this fail, by an exception or by the end of the JVM. */
    @Test
    void programsCompileBesideBusyThreadsAndGarbageCollections() throws InterruptedException {
        assertFalse(SignalChaining.isMissing(), "the tests must run with LD_PRELOAD=$JAVA_HOME/lib/libjsig.so");
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
    }

    private static long spin() {
        long sum = 0;
        for (long k = 0; k < 10_000_000; k++) {
            sum += k * 31 ^ sum;
        }
        return sum;
    }
}

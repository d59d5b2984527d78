package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Threads open and close contexts at the same time. In a process of its own, because the fault is a SIGSEGV. */
class ContextsTest {
    @Test
    void threadsMayOpenAndCloseContextsAtOnce() throws Exception {
        ChildJvm.Result result = ChildJvm.run(Map.of(), List.of(), ContextsMain.class);
        assertEquals(0, result.exit(), () -> result.out() + result.err());
        assertEquals("open at the end: 0", result.out().strip());
    }

    /** Opens and closes many contexts in a few threads. */
    static final class ContextsMain {
        private static final int THREADS = 8;
        private static final int CONTEXTS = 2000;

        private ContextsMain() {}

        public static void main(String[] args) throws InterruptedException {
            ClDevice device = TestDevices.first();
            List<Thread> threads = IntStream.range(0, THREADS)
                    .mapToObj(t -> new Thread(() -> {
                        for (int k = 0; k < CONTEXTS; k++) {
                            device.open().close();
                        }
                    }))
                    .toList();
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            System.out.println("open at the end: " + OpenCl.liveObjects());
        }
    }
}

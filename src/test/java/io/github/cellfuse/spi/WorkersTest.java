package io.github.cellfuse.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Work that a thread shares with helpers. */
@Timeout(60)
class WorkersTest {
    private final Workers workers = new Workers("test", 2);

    @AfterEach
    void shutdown() {
        workers.shutdown();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 1000})
    void everyPieceIsDoneOnce(int pieces) {
        AtomicIntegerArray done = new AtomicIntegerArray(pieces);
        workers.share(pieces, 2, done::incrementAndGet);
        for (int k = 0; k < pieces; k++) {
            assertEquals(1, done.get(k), "piece " + k);
        }
    }

    @Test
    void helpersWorkAtTheSameTime() {
        CyclicBarrier together = new CyclicBarrier(3);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        workers.share(3, 2, k -> {
            threads.add(Thread.currentThread());
            waitAt(together);
        });
        assertEquals(3, threads.size());
        assertTrue(threads.contains(Thread.currentThread()));
    }

    /** Workers that are busy elsewhere don't hold up the one that shares. */
    @Test
    void theCallerDoesAllThatNobodyHelpsWith() throws InterruptedException {
        CountDownLatch busy = new CountDownLatch(3), end = new CountDownLatch(1);
        Thread other = new Thread(() -> workers.share(3, 2, k -> {
            busy.countDown();
            waitFor(end);
        }));
        other.start();
        busy.await();
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        workers.share(2, 2, k -> threads.add(Thread.currentThread()));
        assertEquals(Set.of(Thread.currentThread()), threads);
        end.countDown();
        other.join();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFailureInAnyThreadReachesTheCallerAfterWhatHasBegun(boolean inCaller) {
        Thread caller = Thread.currentThread();
        CyclicBarrier together = new CyclicBarrier(3);
        CountDownLatch failed = new CountDownLatch(1);
        AtomicBoolean hasFailed = new AtomicBoolean();
        AtomicIntegerArray ended = new AtomicIntegerArray(1);
        IllegalArgumentException failure = new IllegalArgumentException("the piece fails");
        IllegalArgumentException thrown = assertThrows(
                IllegalArgumentException.class,
                () -> workers.share(1000, 2, k -> {
                    if (k > 2) {
                        assertTrue(hasFailed.get());
                        ended.incrementAndGet(0);
                        return;
                    }
                    waitAt(together);
                    boolean isCaller = Thread.currentThread() == caller;
                    if (isCaller == inCaller && hasFailed.compareAndSet(false, true)) {
                        failed.countDown();
                        throw failure;
                    }
                    waitFor(failed);
                    sleep();
                    ended.incrementAndGet(0);
                }));
        assertSame(failure, thrown);
        assertEquals(2, ended.get(0), "pieces that ended well");
    }

    @Test
    void anErrorStaysWhatItIs() {
        assertThrows(
                OutOfMemoryError.class,
                () -> workers.share(4, 2, k -> {
                    throw new OutOfMemoryError("of this test");
                }));
    }

    @Test
    void anInterruptionIsKept() {
        AtomicIntegerArray done = new AtomicIntegerArray(8);
        CyclicBarrier together = new CyclicBarrier(2);
        Thread caller = Thread.currentThread();
        workers.share(2, 1, k -> {
            if (Thread.currentThread() == caller) {
                waitAt(together);
                caller.interrupt();
            } else {
                waitAt(together);
                sleep(); // until the caller waits
            }
            done.incrementAndGet(k);
        });
        assertTrue(Thread.interrupted());
        assertFalse(Thread.interrupted());
        assertEquals(2, done.get(0) + done.get(1));
    }

    private static void waitAt(CyclicBarrier barrier) {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}

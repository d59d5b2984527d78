package io.github.cellfuse.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.WeightPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Tasks share engines; nothing stays open that nobody will use. */
class EnginePoolTest {
    private final EnginePool pool = new EnginePool();
    private final AtomicInteger openings = new AtomicInteger();

    private static final class Engine implements EnginePool.Opened {
        private volatile boolean isClosed;

        @Override
        public void close() {
            assertFalse(isClosed, "closed twice");
            isClosed = true;
        }
    }

    private static EnginePool.Key key(String model) {
        return new EnginePool.Key(model, new DeviceChoice("auto", Optional.empty()), WeightPrecision.F32, 0, List.of());
    }

    private EnginePool.Lease acquire(String model) {
        return pool.acquire(key(model), () -> {
            openings.incrementAndGet();
            return new Engine();
        });
    }

    @Test
    void tasksAtTheSameTimeShareAnEngine() throws Exception {
        int tasks = 16;
        CountDownLatch all = new CountDownLatch(tasks);
        ExecutorService threads = Executors.newFixedThreadPool(tasks);
        try {
            List<Future<EnginePool.Opened>> opened = new ArrayList<>();
            for (int k = 0; k < tasks; k++) {
                opened.add(threads.submit(() -> {
                    try (EnginePool.Lease lease = acquire("a")) {
                        all.countDown();
                        assertTrue(all.await(10, TimeUnit.SECONDS));
                        assertFalse(((Engine) lease.opened()).isClosed);
                        return lease.opened();
                    }
                }));
            }
            for (Future<EnginePool.Opened> one : opened) {
                assertSame(opened.get(0).get(), one.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(1, openings.get());
        assertEquals(1, pool.size());
    }

    @Test
    void closesIdleEnginesButNotThoseInUse() {
        EnginePool.Lease used = acquire("a");
        List<Engine> others = new ArrayList<>();
        for (String model : List.of("b", "c", "d")) {
            EnginePool.Lease lease = acquire(model);
            others.add((Engine) lease.opened());
            lease.close();
            lease.close();
        }
        assertTrue(others.get(0).isClosed);
        assertFalse(others.get(1).isClosed);
        assertFalse(others.get(2).isClosed);
        assertFalse(((Engine) used.opened()).isClosed);
        pool.closeIdle(0);
        assertTrue(others.get(2).isClosed);
        assertFalse(((Engine) used.opened()).isClosed);
        used.close();
        pool.closeIdle(0);
        assertTrue(((Engine) used.opened()).isClosed);
        assertEquals(0, pool.size());
    }

    @Test
    void aTaskAfterAFailureGetsANewEngine() {
        EnginePool.Lease failed = acquire("a"), other = acquire("a");
        failed.markBroken();
        EnginePool.Lease again = acquire("a");
        assertNotSame(failed.opened(), again.opened());
        failed.close();
        assertFalse(((Engine) failed.opened()).isClosed, "another task still uses it");
        other.close();
        assertTrue(((Engine) failed.opened()).isClosed);
        again.close();
        assertFalse(((Engine) again.opened()).isClosed);
    }

    @Test
    void anEngineThatCantBeOpenedLeavesNothing() {
        assertThrows(
                CellFuseException.class,
                () -> pool.acquire(key("a"), () -> {
                    throw new CellFuseException("no such device");
                }));
        assertEquals(0, pool.size());
        acquire("a").close();
        assertEquals(1, pool.size());
    }
}

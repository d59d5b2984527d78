package io.github.cellfuse.spark;

import io.github.cellfuse.WeightPrecision;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the tasks of a JVM have open: one engine for each model, device and options, shared by all tasks that need it.
 * It is opened by the first one. Afterwards it stays open for the next task, until engines of other models take its
 * place, or the JVM ends. Thread safe.
 */
final class EnginePool {
    /** Engines that stay open though no task uses them: a model's own, and that of a second stage of a job. */
    static final int MOST_IDLE = 2;

    /** The JVM doesn't wait longer than this for its engines to close. */
    private static final long SHUTDOWN_SECONDS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(EnginePool.class);

    /** The pool of this JVM. */
    static final EnginePool SHARED = new EnginePool();

    static {
        Thread hook = new Thread(EnginePool::closeAtExit, "cellfuse-close-engines");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The entries by key; those that were used last are last. */
    private final Map<Key, Entry> entries = new LinkedHashMap<>();

    /**
     * What engines differ in.
     *
     * @param model the digest of the model's bytes
     * @param outputs the outputs of a graph
     */
    record Key(String model, DeviceChoice device, WeightPrecision weights, int threads, List<String> outputs) {}

    /** Something open. Closing may throw. */
    interface Opened extends AutoCloseable {
        @Override
        void close();
    }

    private static final class Entry {
        private final Key key;
        private Opened opened; // null: not yet
        private boolean isBroken;
        private int users;

        private Entry(Key key) {
            this.key = key;
        }
    }

    /** The right of a task to use an engine, until the lease is closed. Closing twice has no effect. */
    final class Lease implements AutoCloseable {
        private final Entry entry;
        private boolean isClosed;

        private Lease(Entry entry) {
            this.entry = entry;
        }

        /** Returns what the lease is for. */
        Opened opened() {
            return entry.opened;
        }

        /** Keeps others from using the engine, because it failed. It is closed with the last lease. */
        void markBroken() {
            synchronized (EnginePool.this) {
                entry.isBroken = true;
                entries.remove(entry.key, entry);
            }
        }

        @Override
        public void close() {
            synchronized (EnginePool.this) {
                if (isClosed) {
                    return;
                }
                isClosed = true;
            }
            release(entry);
        }
    }

    /**
     * Returns a lease of what {@code key} names, which {@code opener} opens unless it is open. Waits while another
     * thread opens it. What the opener throws is thrown, and the next task tries again.
     */
    Lease acquire(Key key, Supplier<? extends Opened> opener) {
        Entry entry;
        synchronized (this) {
            entry = entries.remove(key);
            if (entry == null) {
                entry = new Entry(key);
            }
            entries.put(key, entry);
            entry.users++;
        }
        try {
            synchronized (entry) {
                if (entry.opened == null) {
                    entry.opened = opener.get();
                }
            }
        } catch (RuntimeException | Error e) {
            release(entry);
            throw e;
        }
        closeIdle(MOST_IDLE);
        return new Lease(entry);
    }

    private void release(Entry entry) {
        boolean isLast;
        synchronized (this) {
            entry.users--;
            isLast = entry.users == 0;
            if (isLast && entry.opened == null) {
                entries.remove(entry.key, entry);
            }
        }
        if (isLast && entry.isBroken) {
            close(entry);
        }
        closeIdle(MOST_IDLE);
    }

    /** Closes what no task uses, until at most {@code most} of it are left: what was used last. */
    void closeIdle(int most) {
        List<Entry> closing = new ArrayList<>();
        synchronized (this) {
            List<Entry> idle =
                    entries.values().stream().filter(entry -> entry.users == 0).toList();
            for (Entry entry : idle.subList(0, Math.max(0, idle.size() - most))) {
                entries.remove(entry.key);
                closing.add(entry);
            }
        }
        closing.forEach(EnginePool::close);
    }

    /** Returns how many engines are open, or being opened. */
    synchronized int size() {
        return entries.size();
    }

    /** Returns how many leases there are. */
    synchronized int users() {
        return entries.values().stream().mapToInt(entry -> entry.users).sum();
    }

    /** Returns how many engines have leases. */
    synchronized int inUse() {
        return (int) entries.values().stream().filter(entry -> entry.users > 0).count();
    }

    private static void close(Entry entry) {
        try {
            if (entry.opened != null) {
                entry.opened.close();
            }
        } catch (RuntimeException e) {
            LOG.warn("the engine of {} wasn't closed cleanly: {}", entry.key, e.getMessage());
        }
    }

    /** A device that doesn't answer must not keep the JVM from ending. */
    private static void closeAtExit() {
        Thread closer = new Thread(() -> SHARED.closeIdle(0), "cellfuse-close-idle-engines");
        closer.setDaemon(true);
        closer.start();
        try {
            closer.join(TimeUnit.SECONDS.toMillis(SHUTDOWN_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.spi.Workers;
import java.util.function.IntConsumer;

/**
 * Copies between the caller's memory and pinned memory with several threads. One thread copies about 10 GB/s, and a GPU
 * moves 50 GB/s each way. Shared by the sessions of an engine; thread safe.
 */
final class CopyThreads {
    /** Four copied 12 to 16 GB/s on a machine with 16 cores. With eight, each still has 1 MiB of a block. */
    private static final int MOST_EACH_WAY = 8;

    /** 256 KiB, which one thread copies in 25 µs: less takes no longer than waking another one. */
    private static final int FEWEST_FLOATS = 1 << 16;

    private final int helpers;
    private final int fewestFloats;
    /** Helps both ways; null if each way has one thread. */
    private final Workers workers;

    /**
     * Threads for both ways; they begin when they are needed.
     *
     * @param eachWay the threads that copy one way, including the one that calls {@link #forEach}
     * @param fewestFloats what is worth a thread
     */
    CopyThreads(int eachWay, int fewestFloats) {
        helpers = eachWay - 1;
        this.fewestFloats = fewestFloats;
        workers = helpers > 0 ? new Workers("copy", 2 * helpers) : null;
    }

    /** Threads for this machine. */
    static CopyThreads ofMachine() {
        return new CopyThreads(eachWay(Runtime.getRuntime().availableProcessors()), FEWEST_FLOATS);
    }

    /** Returns the threads that copy one way: both ways share the cores, so on two cores each way has one thread. */
    static int eachWay(int cores) {
        return Math.max(1, Math.min(MOST_EACH_WAY, cores / 2));
    }

    /**
     * Calls {@code stretch} with 0 to {@code count - 1}, once each.
     *
     * @param floats what all of them copy
     * @throws RuntimeException what a call threw
     */
    void forEach(int count, long floats, IntConsumer stretch) {
        int pieces = (int) Math.min(count, floats / fewestFloats);
        if (workers == null || pieces < 2) {
            for (int k = 0; k < count; k++) {
                stretch.accept(k);
            }
            return;
        }
        workers.share(pieces, Math.min(helpers, pieces - 1), piece -> {
            int end = (int) ((piece + 1L) * count / pieces);
            for (int k = (int) ((long) piece * count / pieces); k < end; k++) {
                stretch.accept(k);
            }
        });
    }

    /** Lets the threads end; nobody may copy any more. */
    void shutdown() {
        if (workers != null) {
            workers.shutdown();
        }
    }
}

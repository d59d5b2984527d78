package io.github.cellfuse.batch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Notes in a journal which rows are finished, some chunks at a time: what the journal says is on disk has to be there
 * first, and waiting for the disk after every chunk would cost time. Thread safe.
 */
final class Checkpoints {
    /** The time between two checkpoints is so many times as long as one takes, and never shorter than the minimum. */
    private static final int PAUSE = 20;

    private static final long SHORTEST_PAUSE_NANOS = 250_000_000L;

    private final Optional<Journal> journal;
    private final BatchOutput output;
    /** Finished rows that the journal doesn't have yet. Guarded by itself: it isn't held while the disk works. */
    private final List<Journal.Entry> pending = new ArrayList<>();

    private volatile long next = System.nanoTime() + SHORTEST_PAUSE_NANOS;

    Checkpoints(Optional<Journal> journal, BatchOutput output) {
        this.journal = journal;
        this.output = output;
    }

    /** Notes rows that have been written; now and then, waits until they are on disk. */
    void finished(Rows rows, int checksum) {
        if (journal.isEmpty()) {
            return;
        }
        synchronized (pending) {
            pending.add(new Journal.Entry(rows.first(), rows.count(), checksum));
        }
        if (System.nanoTime() - next >= 0) {
            commit();
        }
    }

    /** Takes rows back that turned out to be wrong. When this returns, the journal doesn't have them, durably. */
    synchronized void revoke(List<Rows> wrong) {
        synchronized (pending) {
            pending.removeIf(entry -> entry.isAmong(wrong));
        }
        journal.ifPresent(open -> open.revoke(wrong));
    }

    /** Waits until everything that is finished is on disk, and says so in the journal. */
    synchronized void commit() {
        List<Journal.Entry> entries;
        synchronized (pending) {
            entries = List.copyOf(pending);
            pending.clear();
        }
        if (entries.isEmpty()) {
            return;
        }
        long start = System.nanoTime();
        next = Long.MAX_VALUE / 2 + start; // other threads go on writing meanwhile
        output.force();
        journal.orElseThrow().append(entries);
        long end = System.nanoTime();
        next = end + Math.max(SHORTEST_PAUSE_NANOS, PAUSE * (end - start));
    }
}

package io.github.cellfuse.batch;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Notices devices that give wrong values: computes rows again on the {@code java} device, whose bits every exact device
 * has, in a thread of its own. No lane ever waits for it.
 *
 * <p>Of each device, a row of the first chunk is checked, and one of the last, which tells what the device is like at
 * the end. In between, a chunk is checked whenever the checks have taken less than their share of the time.
 *
 * <p>It also keeps what each lane has written, since that is wrong, too, if a row is. Thread safe.
 */
final class SpotChecks implements AutoCloseable {
    /** The share of one core's time that checks take, unless a caller says otherwise. */
    static final double SHARE = 0.02;

    /** The first and the last chunk of a device are checked whatever the share, unless a row takes longer than this. */
    private static final double LONGEST_NANOS = 0.5e9;

    /** Floating-point operations per nanosecond, before any were measured. */
    private static final double FIRST_SPEED = 0.5;

    /** A machine that is busy with something else doesn't do without checks. */
    private static final double LEAST_SPEED = 0.1;

    /** What a check costs besides its row, in floating-point operations. */
    private static final double OVERHEAD = 1e6;

    /** A row with more values isn't copied whole. */
    private static final long MOST_FLOATS = 4L << 20;

    /** Models aren't checked if their second copy would take more than this part of the heap. */
    private static final int HEAP_PART = 8;

    /** What is done about the results of checks. Called by the thread of the checks. */
    interface Judge {
        /** A row of {@code lane} is wrong. Its rows can't be relied on. */
        void wrong(Lane<?, ?> lane, long row, String difference);

        /** Checking has failed, for no reason that a device could be blamed for. */
        void failed(Throwable cause);
    }

    /** What is known of a lane. */
    private static final class Known {
        private final List<Rows> written = new ArrayList<>();
        /** Whether no row has been checked yet. */
        private boolean isNew = true;

        /** Of the newest chunk, unless that has been checked. */
        private RowCheck newest;

        private boolean isNewestShort;

        private boolean isDistrusted;
    }

    private record Due(Lane<?, ?> lane, RowCheck check) {}

    private final double share;
    private final Judge judge;
    private final long began = System.nanoTime();
    private final Map<Lane<?, ?>, Known> lanes = new HashMap<>();
    private final ArrayDeque<Due> due = new ArrayDeque<>();
    private double speed = FIRST_SPEED;
    private long checkNanos, checked;
    private boolean isBusy, isClosed;
    private Thread thread; // null before the first check

    /** Used by the thread only; null before the first check. */
    private LstmEngine java;

    private LstmSession session;

    /** @param share the share of one core's time that checks may take; 0 for no checks */
    SpotChecks(double share, Judge judge) {
        this.share = share;
        this.judge = judge;
        isClosed = share == 0;
    }

    /** Returns whether the rows of {@code engine} are checked. */
    boolean covers(BatchEngine<?, ?> engine) {
        return engine instanceof LstmBatchEngine lstm && covers(lstm.engine());
    }

    private boolean covers(LstmEngine engine) {
        long bytes = engine.model().parameters() * Float.BYTES;
        return share > 0
                && engine.tier() == Tier.EXACT
                && !(engine.device() instanceof Device.Java)
                && bytes <= Runtime.getRuntime().maxMemory() / HEAP_PART;
    }

    /** Has a row of a chunk checked, now or later, or not at all. It is copied. Only rows of bare LSTMs are checked. */
    void computed(Lane<?, ?> lane, Rows rows, ChunkInput input, ChunkOutput results) {
        if (lane.engine() instanceof LstmBatchEngine lstm
                && input instanceof InputChunk chunk
                && results instanceof OutputChunk found) {
            computed(lane, lstm.engine(), rows, chunk.input(), found.output());
        }
    }

    private void computed(Lane<?, ?> lane, LstmEngine engine, Rows rows, LstmInput input, LstmOutput results) {
        LstmModel model = engine.model();
        if (isClosed() || !covers(engine)) {
            return;
        }
        try {
            int row = ThreadLocalRandom.current().nextInt(rows.count());
            int steps = steps(model, input.steps(), results);
            if (steps > 0) {
                consider(lane, RowCheck.copy(model, rows.first() + row, row, steps, input, results));
            }
        } catch (OutOfMemoryError e) {
            close(); // the job needs the memory more
        }
    }

    private synchronized boolean isClosed() {
        return isClosed;
    }

    /**
     * Returns how many steps of a row to check. The first steps of a row don't depend on later ones, unless a layer
     * goes backward; so a long row need not be computed to its end, if there is a y to compare. 0 for none.
     */
    private synchronized int steps(LstmModel model, int all, LstmOutput results) {
        long floats = model.inputSize() + (results.hasY() ? model.outputSize() : 0);
        boolean needsAll =
                !results.hasY() || model.layers().stream().anyMatch(layer -> layer.direction() != Direction.FORWARD);
        if (needsAll) {
            return all <= MOST_FLOATS / floats ? all : 0;
        }
        double affordable = (LONGEST_NANOS * speed - OVERHEAD) / model.flopsPerStep();
        return (int) Math.min(all, Math.min(affordable, MOST_FLOATS / floats));
    }

    private synchronized void consider(Lane<?, ?> lane, RowCheck check) {
        Known known = known(lane);
        if (isClosed || known.isDistrusted) {
            return;
        }
        boolean isShort = nanos(check) <= LONGEST_NANOS, isIdle = !isBusy && due.isEmpty();
        if (known.isNew && isShort || isIdle && isWithinShare(check)) {
            schedule(lane, check);
        } else {
            known.newest = check;
            known.isNewestShort = isShort;
        }
    }

    private void schedule(Lane<?, ?> lane, RowCheck check) {
        Known known = known(lane);
        known.isNew = false;
        known.newest = null;
        due.add(new Due(lane, check));
        if (thread == null) {
            thread = new Thread(this::checkAll, "cellfuse-check");
            thread.setDaemon(true);
            thread.start();
        }
        notifyAll();
    }

    private Known known(Lane<?, ?> lane) {
        return lanes.computeIfAbsent(lane, key -> new Known());
    }

    /** Returns how long a check will take, about. */
    private double nanos(RowCheck check) {
        return (OVERHEAD + check.flops()) / speed;
    }

    private boolean isWithinShare(RowCheck check) {
        return checkNanos + nanos(check) <= share * (System.nanoTime() - began);
    }

    private void checkAll() {
        try {
            Due next;
            while ((next = next()) != null) {
                judge(next);
                done();
            }
        } catch (OutOfMemoryError e) {
            close(); // without checks, the job may still have enough
        } catch (InterruptedException | RuntimeException | Error e) {
            close();
            judge.failed(e);
        } finally {
            if (java != null) {
                java.close();
            }
            done();
        }
    }

    private synchronized Due next() throws InterruptedException {
        while (due.isEmpty() && !isClosed) {
            wait();
        }
        isBusy = !due.isEmpty();
        return due.poll();
    }

    private synchronized void done() {
        isBusy = false;
        notifyAll();
    }

    private void judge(Due next) {
        long start = System.nanoTime();
        boolean isFirst = session == null;
        if (isFirst) {
            // The model has the device's precision already. One thread: the others are for the job.
            java = LstmEngine.open(Device.JAVA, next.check().model(), EngineOptions.DEFAULT.withThreads(1));
            session = java.newSession();
        }
        long opened = System.nanoTime();
        Optional<String> difference = next.check().difference(session);
        long end = System.nanoTime();
        synchronized (this) {
            checked++;
            checkNanos += end - start;
            if (!isFirst) { // the first finds code that isn't compiled, and says little about others
                speed = Math.max(LEAST_SPEED, (OVERHEAD + next.check().flops()) / (end - opened + 1));
            }
        }
        difference.ifPresent(words -> judge.wrong(next.lane(), next.check().row(), words));
    }

    /** Notes that {@code lane} writes rows. */
    synchronized void writes(Lane<?, ?> lane, Rows rows) {
        known(lane).written.add(rows);
    }

    /** Returns whether what {@code lane} computes may be written. */
    synchronized boolean trusts(Lane<?, ?> lane) {
        return !known(lane).isDistrusted;
    }

    /** Trusts {@code lane} no more, and returns all rows that it has written. */
    synchronized List<Rows> distrust(Lane<?, ?> lane) {
        Known known = known(lane);
        known.isDistrusted = true;
        known.newest = null;
        due.removeIf(each -> each.lane() == lane);
        return List.copyOf(known.written);
    }

    /** Has the newest row of each lane checked, and returns whether all checks have been made. */
    synchronized boolean areMade() {
        if (isClosed) {
            return !isBusy;
        }
        List.copyOf(lanes.entrySet()).forEach(each -> {
            Known known = each.getValue();
            if (known.newest != null && (known.isNewestShort || isWithinShare(known.newest))) {
                schedule(each.getKey(), known.newest);
            }
        });
        return due.isEmpty() && !isBusy;
    }

    /** Returns whether no row of {@code queue} is left and all checks have been made. After that, there are no more. */
    synchronized boolean isOver(RowQueue queue) {
        if (queue.left() > 0 || !areMade()) {
            return false; // once no row is left, only a check can bring some back
        }
        close();
        return true;
    }

    /** Waits while checks are being made, for {@code millis} milliseconds at most. */
    synchronized void await(long millis) throws InterruptedException {
        if (isBusy || !due.isEmpty()) {
            wait(millis);
        }
    }

    /** Returns the number of rows that were computed again. */
    synchronized long checked() {
        return checked;
    }

    /** Makes no more checks. One that has begun goes on to its end. */
    @Override
    public synchronized void close() {
        isClosed = true;
        due.clear();
        notifyAll();
    }
}

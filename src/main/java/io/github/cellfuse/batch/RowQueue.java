package io.github.cellfuse.batch;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The rows that are left to do, from which every lane takes its next chunk: a fast device takes more of them. A lane
 * with nothing left to take runs a chunk once more that another lane is slow to finish: rows have the same bits on each
 * device, so it doesn't matter which lane finishes first. Thread safe.
 */
final class RowQueue {
    /** How often a lane without work looks whether another one has become slow. */
    private static final long LOOK_MILLIS = 50;

    /** A chunk is slow after this many times what the waiting lane would take. */
    private static final int SLOW = 2;

    /** A chunk that takes less than this isn't slow: a second run would hardly end sooner. */
    private static final long NOT_SLOW_NANOS = 1_000_000_000L;

    /** A chunk that somebody computes. */
    private static final class Running {
        final Rows rows;
        final long since = System.nanoTime();
        final Set<Lane<?, ?>> lanes = new HashSet<>();

        Running(Rows rows) {
            this.rows = rows;
        }
    }

    /** The rows that nobody has taken, or that were given back: from first to end. */
    private final TreeMap<Long, Long> waiting = new TreeMap<>();

    private final Map<Long, Running> running = new HashMap<>();
    private final Set<Lane<?, ?>> lanes = new HashSet<>();
    /** Which chunks, by their first row, each lane failed to compute. */
    private final Map<Lane<?, ?>, Set<Long>> refused = new HashMap<>();

    private final int fewest;
    private final boolean mayRunTwice;
    private long left;
    private long window = Long.MAX_VALUE;
    private boolean closed, mayGrow;

    /**
     * Creates the queue of all rows that aren't finished.
     *
     * @param rows the number of rows of the batch
     * @param fewest the fewest rows of a chunk, unless the batch has fewer
     * @param finished the ranges that are done already; they may overlap
     * @param mayRunTwice whether two lanes may run the same rows
     */
    RowQueue(long rows, int fewest, List<Rows> finished, boolean mayRunTwice) {
        this.fewest = fewest;
        this.mayRunTwice = mayRunTwice;
        TreeMap<Long, Long> done = new TreeMap<>();
        finished.forEach(range -> done.merge(range.first(), range.end(), Math::max));
        long next = 0;
        for (Map.Entry<Long, Long> range : done.entrySet()) {
            if (range.getKey() > next) {
                waiting.put(next, range.getKey());
                left += range.getKey() - next;
            }
            next = Math.max(next, range.getValue());
        }
        if (next < rows) {
            waiting.put(next, rows);
            left += rows - next;
        }
    }

    /** Returns the number of rows that aren't finished. */
    synchronized long left() {
        return left;
    }

    /** Waits until all rows are finished or the queue is closed, for {@code millis} milliseconds at most. */
    synchronized void await(long millis) throws InterruptedException {
        if (left > 0 && !closed) {
            wait(millis);
        }
    }

    /** Lets lanes wait when no row is left, until the queue is closed: finished rows may be taken back. */
    synchronized void letGrow() {
        mayGrow = true;
    }

    /** Gives out no row so many rows or more behind the first one that isn't finished. */
    synchronized void setWindow(long rows) {
        window = rows;
    }

    /** Has to be called before {@code lane} takes rows. */
    synchronized void join(Lane<?, ?> lane) {
        lanes.add(lane);
    }

    /** {@code lane} takes nothing any more. It has to finish or give back what it has taken. */
    synchronized void leave(Lane<?, ?> lane) {
        lanes.remove(lane);
        notifyAll();
    }

    /** Gives back everything that {@code lane} has not finished. It takes nothing any more. */
    synchronized void abandon(Lane<?, ?> lane) {
        leave(lane);
        new ArrayList<>(running.values()).forEach(each -> giveBack(lane, each.rows));
    }

    /** Returns whether another lane may take what {@code lane} gives back. */
    synchronized boolean hasOthers(Lane<?, ?> lane) {
        return lanes.stream().anyMatch(each -> each != lane);
    }

    /**
     * Returns the next rows for {@code lane}; waits while others may give some back. Null if nothing is left for it.
     *
     * @param most the number of rows to take at most; see {@link #largest}
     */
    synchronized Rows take(Lane<?, ?> lane, ChunkLimit most) throws InterruptedException {
        while (!closed && (left > 0 || mayGrow) && lanes.contains(lane)) {
            Rows next = nextWaiting(lane, most);
            if (next == null) {
                next = slow(lane, most);
            }
            if (next != null) {
                running.get(next.first()).lanes.add(lane);
                return next;
            }
            if (left > 0 && running.isEmpty() && lanes.stream().allMatch(this::refusesAll)) {
                return null;
            }
            wait(LOOK_MILLIS);
        }
        return null;
    }

    /** Moves the first rows that wait, and that {@code lane} may take, to {@code running}, and returns them. */
    private Rows nextWaiting(Lane<?, ?> lane, ChunkLimit most) {
        for (Map.Entry<Long, Long> range : waiting.entrySet()) {
            long first = range.getKey(), end = range.getValue(); // a removed entry may hold those of another one
            if (!refuses(lane, first) && isInWindow(first)) {
                long all = end - first;
                int count = (int) Math.min(most.rows(first), all);
                Rows rows = new Rows(first, all - count < fewest ? (int) all : count);
                waiting.remove(first);
                if (rows.end() < end) {
                    waiting.put(rows.end(), end);
                }
                running.put(first, new Running(rows));
                return rows;
            }
        }
        return null;
    }

    /** Returns whether rows that wait from {@code first} on may be begun. */
    private boolean isInWindow(long first) {
        long unfinished = running.keySet().stream().mapToLong(each -> each).reduce(waiting.firstKey(), Math::min);
        return first - unfinished < window;
    }

    /** Returns rows of which another lane has been computing for too long; null if there are none. */
    private Rows slow(Lane<?, ?> lane, ChunkLimit most) {
        if (!mayRunTwice || !waiting.isEmpty()) {
            return null;
        }
        long now = System.nanoTime();
        for (Running each : running.values()) {
            long own = lane.expectedNanos(each.rows.count());
            if (each.lanes.size() == 1
                    && !each.lanes.contains(lane)
                    && !refuses(lane, each.rows.first())
                    && each.rows.count() <= largest(most.rows(each.rows.first()))
                    && own > 0
                    && now - each.since > Math.max(NOT_SLOW_NANOS, SLOW * own)) {
                return each.rows;
            }
        }
        return null;
    }

    /**
     * Returns the number of rows that a lane may get when it asks for {@code most}: none may be left that are too few.
     */
    int largest(int most) {
        return most + fewest - 1;
    }

    /** Returns whether a chunk can be computed in two halves. */
    boolean canHalve(Rows chunk) {
        return chunk.count() > 1 && chunk.count() / 2 >= fewest;
    }

    private boolean refuses(Lane<?, ?> lane, long first) {
        return refused.getOrDefault(lane, Set.of()).contains(first);
    }

    private boolean refusesAll(Lane<?, ?> lane) {
        return waiting.keySet().stream().allMatch(first -> refuses(lane, first) || !isInWindow(first));
    }

    /** Returns whether {@code rows} are still to do: another lane may have finished them. */
    synchronized boolean isWanted(Rows rows) {
        Running wanted = running.get(rows.first());
        return wanted != null && wanted.rows.equals(rows);
    }

    /** Returns whether {@code rows} were still to do: another lane may have finished them before. */
    synchronized boolean finish(Rows rows) {
        if (!isWanted(rows)) {
            return false;
        }
        running.remove(rows.first());
        left -= rows.count();
        notifyAll();
        return true;
    }

    /** Lets another lane, or this one, take {@code rows} again. */
    synchronized void giveBack(Lane<?, ?> lane, Rows rows) {
        Running given = running.get(rows.first());
        if (given != null && given.rows.equals(rows) && given.lanes.remove(lane) && given.lanes.isEmpty()) {
            running.remove(rows.first());
            waiting.put(rows.first(), rows.end());
            notifyAll();
        }
    }

    /** Lets lanes take rows again that were finished. Those that are to do anyway stay as they are. */
    synchronized void takeBack(List<Rows> wrong) {
        TreeMap<Long, Long> todo = new TreeMap<>(waiting);
        running.values().forEach(each -> todo.put(each.rows.first(), each.rows.end()));
        for (Rows rows : wrong) {
            long next = rows.first();
            while (next < rows.end()) {
                Map.Entry<Long, Long> before = todo.floorEntry(next);
                if (before != null && before.getValue() > next) {
                    next = before.getValue();
                    continue;
                }
                Long after = todo.higherKey(next);
                long end = after == null ? rows.end() : Math.min(after, rows.end());
                waiting.put(next, end);
                todo.put(next, end);
                left += end - next;
                next = end;
            }
        }
        notifyAll();
    }

    /** Gives back {@code rows}, and never gives them to {@code lane} again. */
    synchronized void refuse(Lane<?, ?> lane, Rows rows) {
        refused.computeIfAbsent(lane, key -> new HashSet<>()).add(rows.first());
        giveBack(lane, rows);
    }

    /** Ends all waiting. Nothing can be taken any more. */
    synchronized void close() {
        closed = true;
        notifyAll();
    }
}

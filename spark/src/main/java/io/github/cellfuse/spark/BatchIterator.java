package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.util.TaskCompletionListener;

/**
 * The rows of a partition with their results, in order. Rows are read as they are needed: one batch is in memory, and
 * the model is opened with the first row. What is open closes after the last row, or when the task ends, fails or is
 * killed.
 *
 * @param <I> a row of the partition
 * @param <O> a row of the result
 * @param <S> a row that was read and checked
 */
final class BatchIterator<I, O, S> implements Iterator<O> {
    /** Bad rows that stay take memory, but no room in a batch. */
    private static final int MOST_SLOTS = 32_768;

    private final Iterator<I> rows;
    private final Shape<I, O> shape;
    private final Supplier<? extends Scorer<S>> opener;
    private final Invalid invalid;
    private final ScoreMetrics metrics; // null: outside of Spark
    private final TaskContext context; // null: outside of Spark
    private Scorer<S> scorer;
    private boolean isClosed;
    private long count;
    private Slot<I, S> held;
    private List<Slot<I, S>> slots = new ArrayList<>();
    private int next;

    /** How rows are taken apart and put together. */
    interface Shape<I, O> extends Serializable {
        /** Returns the values of the columns that the model reads. */
        Object[] values(I row);

        /**
         * Returns the row with its results.
         *
         * @param results one a column; null if the row is bad
         * @param error why the row is bad, or null
         */
        O with(I row, Object[] results, String error);

        /** Returns whether Spark threw this because it can't hand a null over in an array of plain numbers. */
        default boolean isNullRefused(RuntimeException e) {
            return false;
        }

        /** Returns what is wrong with such a row. */
        default String nullRefused() {
            throw new IllegalStateException("rows of this shape may have nulls");
        }
    }

    private static final class Slot<I, S> {
        private final I row;
        private S sequence;
        private String error;
        private Object[] results;

        private Slot(I row) {
            this.row = row;
        }
    }

    BatchIterator(
            Iterator<I> rows,
            Shape<I, O> shape,
            Supplier<? extends Scorer<S>> opener,
            Invalid invalid,
            ScoreMetrics metrics) {
        this.rows = rows;
        this.shape = shape;
        this.opener = opener;
        this.invalid = invalid;
        this.metrics = metrics;
        context = TaskContext.get();
        if (context != null) {
            context.addTaskCompletionListener((TaskCompletionListener) ended -> close());
        }
    }

    @Override
    public synchronized boolean hasNext() {
        while (next == slots.size()) {
            if (held == null && !rows.hasNext()) {
                close();
                return false;
            }
            fill();
        }
        return true;
    }

    @Override
    public synchronized O next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Slot<I, S> slot = slots.set(next++, null); // the garbage collector may have it
        return shape.with(slot.row, slot.results, slot.error);
    }

    /** Gathers a batch and computes it. */
    private void fill() {
        if (isClosed) {
            throw new IllegalStateException("the task has ended");
        }
        if (scorer == null) {
            scorer = opener.get();
        }
        slots = new ArrayList<>();
        next = 0;
        List<Slot<I, S>> good = new ArrayList<>();
        List<S> batch = new ArrayList<>();
        while (slots.size() < MOST_SLOTS && (held != null || rows.hasNext())) {
            checkKilled();
            Slot<I, S> slot = held != null ? held : read();
            held = null;
            if (slot.sequence == null) {
                if (invalid == Invalid.KEEP) {
                    slots.add(slot);
                }
                continue;
            }
            if (!scorer.accepts(batch, slot.sequence)) {
                held = slot;
                break;
            }
            batch.add(slot.sequence);
            good.add(slot);
            slots.add(slot);
        }
        if (!batch.isEmpty()) {
            run(batch, good);
        }
    }

    private Slot<I, S> read() {
        I row = nextRow();
        count++;
        Slot<I, S> slot = new Slot<>(row);
        try {
            slot.sequence = scorer.read(shape.values(row));
        } catch (BadRow e) {
            if (invalid == Invalid.ERROR) {
                throw refused(e.getMessage(), null);
            }
            slot.error = e.getMessage();
            if (metrics != null) {
                metrics.invalidRows().add(1);
            }
        }
        return slot;
    }

    /** Spark refuses a null in an array of plain floats with an error that names no row. */
    private I nextRow() {
        try {
            return rows.next();
        } catch (RuntimeException e) {
            if (shape.isNullRefused(e)) {
                count++;
                throw refused(shape.nullRefused(), e);
            }
            throw e;
        }
    }

    private InvalidInputException refused(String reason, Throwable cause) {
        return new InvalidInputException(
                "row " + count + (context == null ? "" : " of partition " + context.partitionId()) + ": " + reason
                        + "; with handleInvalid set to skip or keep, such a row doesn't end the job",
                cause);
    }

    private void run(List<S> batch, List<Slot<I, S>> good) {
        checkKilled();
        RunTimes.reset();
        List<Object[]> results = scorer.run(batch);
        for (int k = 0; k < results.size(); k++) {
            good.get(k).results = results.get(k);
            good.get(k).sequence = null;
        }
        if (metrics != null) {
            metrics.rows().add(batch.size());
            metrics.batches().add(1);
            metrics.deviceSeconds().add(RunTimes.get().computeSeconds());
            metrics.waitingSeconds().add(RunTimes.get().waitSeconds());
            metrics.paddingSteps().add(scorer.paddingSteps());
        }
    }

    private void checkKilled() {
        if (context != null && context.isInterrupted()) {
            throw new TaskKilledException("the task was killed between two batches");
        }
    }

    /** Waits for a batch that another thread computes, and closes the scorer. */
    private synchronized void close() {
        isClosed = true;
        if (scorer != null) {
            Scorer<S> closing = scorer;
            scorer = null;
            closing.close();
        }
    }
}

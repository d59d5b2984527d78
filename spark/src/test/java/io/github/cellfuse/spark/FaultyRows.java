package io.github.cellfuse.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;

/**
 * Hands rows on, and plays a fault in the middle of one partition. It needs nothing of CellFuse, so executors may load
 * it apart from the jar under test.
 *
 * @param fault what happens
 * @param partition the partition in which it happens, in its first attempt
 * @param row the row before which it happens, counted in the partition
 * @param sign a file that the task writes then, with the pid of its executor
 */
record FaultyRows(Fault fault, int partition, int row, String sign) implements MapPartitionsFunction<Row, Row> {
    enum Fault {
        NONE,
        /** The task waits for the test, which kills its executor or the worker. */
        WAIT_TO_BE_KILLED,
        /** The task fails. */
        FAIL,
        /** The task takes as long as no other. */
        STRAGGLE
    }

    private static final int LONGEST_SECONDS = 40;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        TaskContext task = TaskContext.get();
        boolean isHere = fault != Fault.NONE
                && task.partitionId() == partition
                && task.attemptNumber() == 0
                && task.stageAttemptNumber() == 0;
        if (!isHere) {
            return rows;
        }
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Row next() {
                if (next++ == row) {
                    play(task);
                }
                return rows.next();
            }
        };
    }

    private void play(TaskContext task) {
        try {
            // Whole under its name, as the test may look at any time.
            Path written = Path.of(sign + "-" + task.taskAttemptId());
            Files.writeString(written, Long.toString(ProcessHandle.current().pid()));
            Files.move(written, Path.of(sign));
            if (fault == Fault.FAIL) {
                throw new IllegalStateException("a fault that the test has asked for");
            }
            // A straggler ends when the copy of its task was faster.
            for (int k = 0; k < LONGEST_SECONDS * 10 && !task.isInterrupted(); k++) {
                TimeUnit.MILLISECONDS.sleep(100);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new IllegalStateException("the task was neither killed nor overtaken, or it was told to end");
    }
}

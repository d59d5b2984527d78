package io.github.cellfuse.batch;

import io.github.cellfuse.Layout;
import java.nio.FloatBuffer;

/** Rows in ascending order, as runs of rows that follow each other: the fewer runs, the larger the pieces of a file. */
final class RowRuns {
    /** Receives a run: the rows from {@code firstRow} on, which are at index {@code at} of all. */
    interface Run {
        void of(long firstRow, int at, int count);
    }

    private RowRuns() {}

    static void forEach(long[] rows, Run run) {
        for (int at = 0, end; at < rows.length; at = end) {
            end = end(rows, at);
            run.of(rows[at], at, end - at);
        }
    }

    /** Returns whether all rows follow each other. */
    static boolean isOne(long[] rows) {
        return end(rows, 0) == rows.length;
    }

    private static int end(long[] rows, int at) {
        int end = at + 1;
        while (end < rows.length && rows[end] == rows[end - 1] + 1) {
            end++;
        }
        return end;
    }

    /** Reads run by run; see {@link ChunkSource#readInput(long[], int, FloatBuffer)}. */
    static void read(ChunkSource source, long[] rows, int steps, FloatBuffer x) {
        int width = x.limit() / rows.length / steps;
        if (source.layout() == Layout.BATCH_MAJOR) {
            int row = steps * width;
            forEach(rows, (first, at, count) -> source.readInput(first, count, steps, x.slice(at * row, count * row)));
            return;
        }
        forEach(rows, (first, at, count) -> {
            FloatBuffer run = DirectFloats.allocate((long) steps * count * width);
            source.readInput(first, count, steps, run);
            for (int step = 0; step < steps; step++) {
                x.put((step * rows.length + at) * width, run, step * count * width, count * width);
            }
        });
    }
}

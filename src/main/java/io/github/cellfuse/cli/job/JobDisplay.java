package io.github.cellfuse.cli.job;

import io.github.cellfuse.Device;
import io.github.cellfuse.batch.BatchListener;
import io.github.cellfuse.batch.ChunkMetrics;
import io.github.cellfuse.batch.DeviceTrouble;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Progress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.stream.Collectors;

/** Shows the progress of a job with its speed and the share of each device. Receives one event at a time. */
public final class JobDisplay implements BatchListener, AutoCloseable {
    private final LongFunction<Progress> display;
    private final Consumer<String> warn;
    private final long itemsPerRow, allItems;
    private Progress progress = Progress.none();
    private long started = System.nanoTime();
    private final Map<Device, Long> rows = new LinkedHashMap<>();
    private long flops;
    private long items;

    /**
     * Prepares the display.
     *
     * @param display makes it, for the rows that are done already
     * @param warn receives what a device failed at, and what is done about it
     */
    public JobDisplay(LongFunction<Progress> display, Consumer<String> warn) {
        this(display, warn, 1, Long.MAX_VALUE);
    }

    /**
     * Prepares a display that shows more than one item for each row.
     *
     * @param itemsPerRow the number of items, which {@link #advance} counts; if it is 1, chunks that are done count
     * @param allItems the number of items in all; those of a chunk that runs again count twice, but no more than that
     */
    public JobDisplay(LongFunction<Progress> display, Consumer<String> warn, long itemsPerRow, long allItems) {
        this.itemsPerRow = itemsPerRow;
        this.allItems = allItems;
        this.display = display;
        this.warn = warn;
    }

    @Override
    public synchronized void onBegin(long rowsDone) {
        started = System.nanoTime();
        items = rowsDone * itemsPerRow;
        progress = display.apply(rowsDone);
    }

    @Override
    public synchronized void onChunk(ChunkMetrics chunk) {
        rows.merge(chunk.device(), (long) chunk.rows(), Long::sum);
        flops += chunk.flops();
        double seconds = Math.max(1, System.nanoTime() - started) / 1e9;
        String speed = flops == 0 ? "" : ", " + Numbers.rate(flops / seconds / 1e9) + " GFLOP/s";
        String note = speed + shares(rows);
        if (!note.isEmpty()) {
            progress.note(note.substring(", ".length()));
        }
        if (itemsPerRow == 1) {
            progress.accept(chunk.rowsDone());
        }
    }

    /** Shows that more items are done. */
    public synchronized void advance(long more) {
        items = Math.min(items + more, allItems);
        if (itemsPerRow > 1) {
            progress.accept(items);
        }
    }

    /** Returns the shares of several devices in the rows; empty if there is only one. */
    static String shares(Map<Device, Long> rows) {
        long all = rows.values().stream().mapToLong(Long::longValue).sum();
        return rows.size() < 2
                ? ""
                : rows.entrySet().stream()
                        .map(each -> each.getKey() + " " + Math.round(100.0 * each.getValue() / all) + " %")
                        .collect(Collectors.joining(", ", ", ", ""));
    }

    @Override
    public synchronized void onTrouble(DeviceTrouble trouble) {
        if (trouble.action() == DeviceTrouble.Action.DISTRUST) {
            rows.remove(trouble.device());
        }
        warn.accept(trouble.toString());
    }

    @Override
    public synchronized void close() {
        progress.close();
    }
}

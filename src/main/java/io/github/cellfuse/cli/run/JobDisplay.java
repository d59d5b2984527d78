package io.github.cellfuse.cli.run;

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
final class JobDisplay implements BatchListener, AutoCloseable {
    private final LongFunction<Progress> display;
    private final Consumer<String> warn;
    private Progress progress = Progress.none();
    private long started = System.nanoTime();
    private final Map<Device, Long> rows = new LinkedHashMap<>();
    private long flops;

    /**
     * Prepares the display.
     *
     * @param display makes it, for the rows that are done already
     * @param warn receives what a device failed at, and what is done about it
     */
    JobDisplay(LongFunction<Progress> display, Consumer<String> warn) {
        this.display = display;
        this.warn = warn;
    }

    @Override
    public void onBegin(long rowsDone) {
        started = System.nanoTime();
        progress = display.apply(rowsDone);
    }

    @Override
    public void onChunk(ChunkMetrics chunk) {
        rows.merge(chunk.device(), (long) chunk.rows(), Long::sum);
        flops += chunk.flops();
        double seconds = Math.max(1, System.nanoTime() - started) / 1e9;
        progress.note(Numbers.rate(flops / seconds / 1e9) + " GFLOP/s" + shares(rows));
        progress.accept(chunk.rowsDone());
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
    public void onTrouble(DeviceTrouble trouble) {
        if (trouble.action() == DeviceTrouble.Action.DISTRUST) {
            rows.remove(trouble.device());
        }
        warn.accept(trouble.toString());
    }

    @Override
    public void close() {
        progress.close();
    }
}

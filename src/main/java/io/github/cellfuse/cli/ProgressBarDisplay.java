package io.github.cellfuse.cli;

import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A bar with the rate and the remaining time on one line of a terminal. Only this class loads the progress bar library.
 */
final class ProgressBarDisplay implements Progress {
    /** Fits the narrowest common terminal. A longer line would wrap and couldn't be overwritten. */
    private static final int COLUMNS = 79;

    private final ProgressBar bar;
    private final PrintWriter err;

    ProgressBarDisplay(PrintWriter err, long before, long total, String noun) {
        this.err = err;
        bar = new ProgressBarBuilder()
                .setTaskName("cellfuse")
                .setUnit(" " + noun + "s", 1)
                .setInitialMax(total)
                .startsFrom(before, Duration.ZERO)
                .setStyle(ProgressBarStyle.ASCII)
                .showSpeed()
                .setUpdateIntervalMillis(200)
                .setConsumer(new DelegatingProgressBarConsumer(this::show, COLUMNS))
                .build();
    }

    private void show(String line) {
        err.print("\r" + line);
        err.flush();
    }

    @Override
    public void note(String text) {
        bar.setExtraMessage(text);
    }

    @Override
    public void accept(long done) {
        bar.stepTo(done);
    }

    @Override
    public void close() {
        bar.close();
        err.println();
    }
}

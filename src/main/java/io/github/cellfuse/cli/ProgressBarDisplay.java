package io.github.cellfuse.cli;

import java.io.PrintWriter;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar with rate and time left, on one line of a terminal. A class of its own, so that the library is loaded only then. */
final class ProgressBarDisplay implements Progress {
    /** Fits the narrowest usual terminal: a longer line would wrap, and not be written over. */
    private static final int COLUMNS = 79;

    private final ProgressBar bar;
    private final PrintWriter err;

    ProgressBarDisplay(PrintWriter err, long total, String noun) {
        this.err = err;
        bar = new ProgressBarBuilder()
                .setTaskName("cellfuse")
                .setUnit(" " + noun + "s", 1)
                .setInitialMax(total)
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
    public void accept(long done) {
        bar.stepTo(done);
    }

    @Override
    public void close() {
        bar.close();
        err.println();
    }
}

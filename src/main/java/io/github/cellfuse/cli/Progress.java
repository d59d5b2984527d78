package io.github.cellfuse.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Shows the progress of a run. It accepts the number of rows, or other items, that are done. Closing it ends the
 * display.
 */
public interface Progress extends LongConsumer, AutoCloseable {
    /** Sets what to show besides the progress from now on, such as a speed. */
    default void note(String text) {}

    @Override
    default void close() {}

    /** Returns a display that shows nothing. */
    static Progress none() {
        return done -> {};
    }

    /**
     * Returns a bar for a terminal, or an occasional line for a log.
     *
     * @param before the number of items that were done before the run
     * @param total the number of items, those included
     * @param noun the name of one item, such as {@code row}
     */
    static Progress on(boolean terminal, PrintWriter err, long before, long total, String noun) {
        return terminal
                ? new ProgressBarDisplay(err, before, total, noun)
                : new Lines(err, before, total, noun, System::nanoTime);
    }

    /** Returns the progress after {@code nanos}, the rate, and the remaining time. */
    static String describe(long before, long done, long total, String noun, long nanos) {
        double rate = (done - before) / Math.max(1e-9, nanos / 1e9);
        return String.format(
                Locale.ROOT,
                "%d of %s, %s %ss/s, %.0f s left",
                done,
                Numbers.count(total, noun),
                Numbers.rate(rate),
                noun,
                (total - done) / rate);
    }

    /** Prints a line every ten seconds; see {@link #on}. */
    final class Lines implements Progress {
        private static final long PERIOD_NANOS = 10_000_000_000L;

        private final PrintWriter err;
        private final long before;
        private final long total;
        private final String noun;
        private final LongSupplier clock;
        private final long started;
        private String note = "";
        private long last;

        Lines(PrintWriter err, long before, long total, String noun, LongSupplier clock) {
            this.err = err;
            this.before = before;
            this.total = total;
            this.noun = noun;
            this.clock = clock;
            started = last = clock.getAsLong();
        }

        @Override
        public void note(String text) {
            note = ", " + text;
        }

        @Override
        public void accept(long done) {
            long now = clock.getAsLong();
            if (now - last >= PERIOD_NANOS && done < total) {
                last = now;
                err.println("cellfuse: " + describe(before, done, total, noun, now - started) + note);
            }
        }
    }
}

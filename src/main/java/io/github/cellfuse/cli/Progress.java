package io.github.cellfuse.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Shows how far a run is: takes the number of rows, or of whatever it counts, that are done. Closing it ends the display. */
public interface Progress extends LongConsumer, AutoCloseable {
    @Override
    default void close() {}

    /** Nothing at all. */
    static Progress none() {
        return done -> {};
    }

    /**
     * What suits the place that {@code err} goes to: a bar on a terminal, a line now and then in a log.
     *
     * @param total how many there are to do
     * @param noun one of them, such as {@code row}
     */
    static Progress on(boolean terminal, PrintWriter err, long total, String noun) {
        return terminal ? new ProgressBarDisplay(err, total, noun) : new Lines(err, total, noun, System::nanoTime);
    }

    /** How far it is after {@code nanos}, how fast, and the time left. */
    static String describe(long done, long total, String noun, long nanos) {
        double rate = done / Math.max(1e-9, nanos / 1e9);
        return String.format(
                Locale.ROOT,
                "%d of %s, %s %ss/s, %.0f s left",
                done,
                Numbers.count(total, noun),
                Numbers.rate(rate),
                noun,
                (total - done) / rate);
    }

    /** See {@link #on}. */
    final class Lines implements Progress {
        private static final long PERIOD_NANOS = 10_000_000_000L;

        private final PrintWriter err;
        private final long total;
        private final String noun;
        private final LongSupplier clock;
        private final long started;
        private long last;

        Lines(PrintWriter err, long total, String noun, LongSupplier clock) {
            this.err = err;
            this.total = total;
            this.noun = noun;
            this.clock = clock;
            started = last = clock.getAsLong();
        }

        @Override
        public void accept(long done) {
            long now = clock.getAsLong();
            if (now - last >= PERIOD_NANOS && done < total) {
                last = now;
                err.println("cellfuse: " + describe(done, total, noun, now - started));
            }
        }
    }
}

package io.github.cellfuse.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Shows how far a run is: takes the number of rows done. Closing it ends the display. */
interface Progress extends LongConsumer, AutoCloseable {
    @Override
    default void close() {}

    /** Nothing at all. */
    static Progress none() {
        return done -> {};
    }

    /** A line now and then, for logs. */
    static Progress lines(PrintWriter err, long rows) {
        return new Lines(err, rows, System::nanoTime);
    }

    /** How far it is after {@code nanos}, how fast, and the time left. */
    static String describe(long done, long total, long nanos) {
        double rate = done / Math.max(1e-9, nanos / 1e9);
        return String.format(
                Locale.ROOT,
                "%d of %d rows, %s rows/s, %.0f s left",
                done,
                total,
                Numbers.rate(rate),
                (total - done) / rate);
    }

    /** See {@link #lines}. */
    final class Lines implements Progress {
        private static final long PERIOD_NANOS = 10_000_000_000L;

        private final PrintWriter err;
        private final long rows;
        private final LongSupplier clock;
        private final long started;
        private long last;

        Lines(PrintWriter err, long rows, LongSupplier clock) {
            this.err = err;
            this.rows = rows;
            this.clock = clock;
            started = last = clock.getAsLong();
        }

        @Override
        public void accept(long done) {
            long now = clock.getAsLong();
            if (now - last >= PERIOD_NANOS && done < rows) {
                last = now;
                err.println("cellfuse: " + describe(done, rows, now - started));
            }
        }
    }
}

package io.github.cellfuse.batch;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What the chunks of a job that are done add up to. Thread safe. */
final class Totals {
    private final AtomicLong flops = new AtomicLong(), validSteps = new AtomicLong(), paddingSteps = new AtomicLong();
    private final AtomicLong readNanos = new AtomicLong(), writeNanos = new AtomicLong();

    /** Adds a chunk that took {@code nanos} nanoseconds to write. */
    void add(Lane.Computed<?> chunk, long nanos) {
        flops.addAndGet(chunk.flops());
        validSteps.addAndGet(chunk.validSteps());
        paddingSteps.addAndGet(chunk.paddingSteps());
        readNanos.addAndGet(chunk.readNanos());
        writeNanos.addAndGet(nanos);
    }

    /**
     * Returns the report of a job.
     *
     * @param rows the rows of the batch
     * @param finishedBefore those that an earlier job had finished
     * @param rowsChecked those that were computed again to check a device
     * @param nanos the time of the job
     * @param devices what each device did
     */
    BatchReport report(long rows, long finishedBefore, long rowsChecked, long nanos, List<BatchReport.Share> devices) {
        return new BatchReport(
                rows,
                finishedBefore,
                devices.stream().mapToLong(BatchReport.Share::chunks).sum(),
                rowsChecked,
                flops.get(),
                validSteps.get(),
                paddingSteps.get(),
                Duration.ofNanos(nanos),
                Duration.ofNanos(readNanos.get()),
                devices.stream().map(BatchReport.Share::computing).reduce(Duration.ZERO, Duration::plus),
                Duration.ofNanos(writeNanos.get()),
                devices);
    }
}

package io.github.cellfuse.batch;

import io.github.cellfuse.Device;
import java.time.Duration;
import java.util.List;

/**
 * What a {@link BatchJob} did. Reading, computing and writing overlap, so their times add up to more than the total.
 *
 * @param rows rows of the batch
 * @param finishedBefore the part of them that an earlier job had finished
 * @param chunks the number of chunks
 * @param rowsChecked rows that were computed again to check a device
 * @param flops floating-point operations of the valid steps, counted as in
 *     {@link io.github.cellfuse.LstmModel#flopsPerStep()}; twice for rows that were computed again as a device was
 *     wrong
 * @param validSteps the valid steps of all rows that this job computed
 * @param paddingSteps the steps that were in memory besides, as a chunk has as many as its longest row
 * @param total time from the first read to the last write
 * @param reading the time of all reads
 * @param computing the time that sessions ran, of all devices together
 * @param writing the time of all writes
 * @param devices what each device did, in the order of the job
 */
public record BatchReport(
        long rows,
        long finishedBefore,
        long chunks,
        long rowsChecked,
        long flops,
        long validSteps,
        long paddingSteps,
        Duration total,
        Duration reading,
        Duration computing,
        Duration writing,
        List<Share> devices) {
    /**
     * What one device did.
     *
     * @param device the device
     * @param rows the rows that it finished, none if its results were wrong
     * @param chunks the chunks that it finished
     * @param computing how long its session ran them
     * @param dropped whether it failed, or its results were wrong, and it was dropped
     */
    public record Share(Device device, long rows, long chunks, Duration computing, boolean dropped) {}

    /** Returns the rows per second of this job, reading and writing included. */
    public double rowsPerSecond() {
        return (rows - finishedBefore) / seconds(total);
    }

    /** Returns the floating-point operations per nanosecond while computing. */
    public double gigaflops() {
        return flops / seconds(computing) / 1e9;
    }

    /** Returns the share of padding in all steps that were in memory, 0 to 1. */
    public double padding() {
        return (double) paddingSteps / Math.max(1, validSteps + paddingSteps);
    }

    /** Returns the times of reading, computing and writing as a multiple of the total; above 1 they overlapped. */
    public double overlap() {
        return (seconds(reading) + seconds(computing) + seconds(writing)) / seconds(total);
    }

    private static double seconds(Duration duration) {
        // The clock may not have advanced.
        return Math.max(1, duration.toNanos()) / 1e9;
    }
}

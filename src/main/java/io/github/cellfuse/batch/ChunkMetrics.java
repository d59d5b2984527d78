package io.github.cellfuse.batch;

import io.github.cellfuse.Device;

/**
 * A chunk that is done.
 *
 * @param device the device that computed it
 * @param firstRow its first row, in the order of the source
 * @param rows its rows
 * @param flops floating-point operations of the valid steps, counted as in
 *     {@link io.github.cellfuse.LstmModel#flopsPerStep()}
 * @param paddingSteps the steps that were in memory, and that are beyond their rows' lengths
 * @param readNanos how long reading it took
 * @param computeNanos how long the session ran it, with the copies to the device and from it
 * @param writeNanos how long writing it took
 * @param rowsDone the rows of the batch that are done now, those of an earlier job included
 */
public record ChunkMetrics(
        Device device,
        long firstRow,
        int rows,
        long flops,
        long paddingSteps,
        long readNanos,
        long computeNanos,
        long writeNanos,
        long rowsDone) {}

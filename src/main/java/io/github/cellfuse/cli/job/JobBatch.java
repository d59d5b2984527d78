package io.github.cellfuse.cli.job;

import io.github.cellfuse.Device;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.BatchOutput;
import io.github.cellfuse.batch.ChunkLimit;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a job computes, and on which devices.
 *
 * @param <F> the file with the results
 */
public interface JobBatch<F extends JobFile> {
    /** Returns the number of rows, at least 1. */
    long rows();

    /** Returns the number of rows to compute at a time; with all of them, nothing can be continued. */
    int chunkRows();

    /** Returns the fewest rows to compute at a time. */
    default int fewestRows() {
        return 1;
    }

    /** Returns whether a chunk may take any time, because nobody could make it smaller. */
    default boolean isIndivisible() {
        return false;
    }

    /** Returns whether it can be continued after an interruption: what comes through a pipe is gone then. */
    default boolean isResumable() {
        return true;
    }

    /**
     * Returns how many rows there may be between the first one that isn't finished and the last one that is begun, if
     * that is limited.
     */
    default Optional<Long> window() {
        return Optional.empty();
    }

    /** Ends a read that waits for a pipe: nothing is read any more. */
    default void endReading() {}

    /** Returns what has to be the same when the run is continued. */
    JobIdentity identity();

    /** Starts the file for a run that can't be continued. */
    F create(Path target, boolean overwrite);

    /**
     * Starts the file for a run that can be continued, or continues it.
     *
     * @param isContinued whether to keep what an unfinished file holds; there need not be one
     */
    F resumable(Path target, boolean overwrite, boolean isContinued);

    /** Returns where the rows of the job go: to {@code file}, but perhaps to other places there. */
    default BatchOutput output(F file) {
        return file;
    }

    /** Returns how many rows a chunk has, if that depends on where it begins. Asked after the file was made. */
    default Optional<ChunkLimit> limit() {
        return Optional.empty();
    }

    /** Returns the devices, which write to {@code file}. */
    List<BatchEngine<?, ?>> engines(F file);

    /** Opens {@code java}, which steps in when no other device is left. */
    BatchEngine<?, ?> openFallback(F file);

    /** Closes the devices, except those that hang. */
    void close(Predicate<Device> isHung);
}

package io.github.cellfuse.batch;

/**
 * Receives what happens in a {@link BatchJob}, for a display or for metrics. Called by the threads of the job, one at a
 * time; a call that takes long delays the job. An exception that it throws ends the job.
 */
public interface BatchListener {
    /** Receives nothing. */
    BatchListener NONE = new BatchListener() {};

    /**
     * The job begins.
     *
     * @param rowsDone the rows of the batch that an earlier job has finished
     */
    default void onBegin(long rowsDone) {}

    /** The rows of a chunk have been computed and written. */
    default void onChunk(ChunkMetrics chunk) {}

    /** A device has failed at a chunk, which doesn't end the job. */
    default void onTrouble(DeviceTrouble trouble) {}
}

package io.github.cellfuse.batch;

/**
 * Computes chunks on a device, one after the other, in one thread.
 *
 * @param <I> the memory for the input of a chunk
 * @param <O> the memory for the results of a chunk
 */
public interface ChunkSession<I extends ChunkInput, O extends ChunkOutput> extends AutoCloseable {
    /**
     * Computes the rows that {@code input} has read.
     *
     * @param progressed to be run now and then while a chunk takes long: a device without progress counts as failed
     * @throws io.github.cellfuse.InvalidInputException when the batch is wrong: no device could compute it
     * @throws io.github.cellfuse.CellFuseException when the device fails
     */
    void run(I input, O output, Runnable progressed);

    /**
     * Lets a run end as soon as possible; its results aren't needed. Called by another thread.
     *
     * @param runner the thread in {@link #run}. Interrupting it closes files that it is reading or writing.
     */
    default void interrupt(Thread runner) {
        runner.interrupt();
    }

    @Override
    void close();
}

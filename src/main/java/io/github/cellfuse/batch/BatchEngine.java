package io.github.cellfuse.batch;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.Tier;

/**
 * What a device does in a {@link BatchJob}: it computes chunks of rows. Chunks are read, computed and written by
 * different threads, each of which has the memory of a chunk for itself meanwhile. Rows must not depend on each other.
 *
 * @param <I> the memory for the input of a chunk
 * @param <O> the memory for the results of a chunk
 */
public interface BatchEngine<I extends ChunkInput, O extends ChunkOutput> {
    /** Returns the engine that runs an LSTM over rows of {@code source} and writes the results to {@code sink}. */
    static BatchEngine<?, ?> of(LstmEngine engine, ChunkSource source, ChunkSink sink) {
        return new LstmBatchEngine(engine, source, sink);
    }

    /** Returns the device that computes. */
    Device device();

    /** Returns the promise that the results keep. */
    Tier tier();

    /**
     * Returns memory for the input of up to {@code mostRows} rows. What takes long to allocate is allocated later, by
     * the thread that reads.
     */
    I newInput(int mostRows);

    /** Returns memory for the results of up to {@code mostRows} rows; see {@link ChunkOutput#allocate()}. */
    O newOutput(int mostRows);

    /**
     * Opens a session. A lane has one at a time, and opens another one after a failure.
     *
     * @throws io.github.cellfuse.CellFuseException when the device fails
     */
    ChunkSession<I, O> newSession();
}

package io.github.cellfuse;

import io.github.cellfuse.spi.HostStreams;

/**
 * Runs batches on an engine. Not thread safe: make one per thread. Scratch memory is kept from run to run and grows with the
 * largest batch seen. Closing twice does nothing.
 */
public interface LstmSession extends AutoCloseable {

    /**
     * Runs a batch into the caller's memory.
     *
     * @param input the batch; not changed
     * @param output receives y and the final states; may not share memory with the input
     * @throws InvalidInputException when the shapes don't fit the model or each other, or are more than the device holds; nothing has
     *     been written, and the session is as before
     * @throws CellFuseException when the device fails, or the thread is interrupted; the output is then undefined
     * @throws IllegalStateException when the session or its engine is closed
     */
    void run(LstmInput input, LstmOutput output);

    /** Runs a batch into new memory on the heap; errors as for {@link #run(LstmInput, LstmOutput)}. */
    default LstmOutput run(LstmInput input) {
        LstmOutput output = LstmOutput.allocate(engine().model(), input);
        run(input, output);
        return output;
    }

    /**
     * Sequences that arrive in pieces, each with its own state, which stays on the device: none at first. They belong to this session.
     *
     * @throws InvalidInputException when the model has a reverse direction: it needs the end of a sequence first
     */
    default LstmStreams newStreams() {
        return new HostStreams(this);
    }

    /** The engine that it belongs to. */
    LstmEngine engine();

    @Override
    void close();
}

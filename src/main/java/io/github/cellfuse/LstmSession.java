package io.github.cellfuse;

import io.github.cellfuse.spi.HostStreams;

/**
 * Runs batches on an engine. Not thread safe: open one per thread. It keeps its work memory, which grows with the
 * largest batch. Closing twice has no effect.
 */
public interface LstmSession extends AutoCloseable {

    /**
     * Runs a batch and writes the result into the caller's memory.
     *
     * @param input the batch; not changed
     * @param output receives y and the final states; must not share memory with the input
     * @throws InvalidInputException if the shapes don't fit the model or each other, or are more than the device can
     *     hold. Nothing has been written, and the session can still be used.
     * @throws CellFuseException if the device fails or the thread is interrupted; the output is then undefined
     * @throws IllegalStateException if the session or its engine is closed
     */
    void run(LstmInput input, LstmOutput output);

    /**
     * Runs a batch and returns the result in new memory on the heap. Errors as for {@link #run(LstmInput, LstmOutput)}.
     */
    default LstmOutput run(LstmInput input) {
        LstmOutput output = LstmOutput.allocate(engine().model(), input);
        run(input, output);
        return output;
    }

    /**
     * Returns streams: sequences that arrive in pieces, each with its own state, which stays on the device. There are
     * none at first. They belong to this session.
     *
     * @throws InvalidInputException if the model has a reverse direction, which needs the end of a sequence first
     */
    default LstmStreams newStreams() {
        return new HostStreams(this);
    }

    /** Returns the engine of this session. */
    LstmEngine engine();

    @Override
    void close();
}

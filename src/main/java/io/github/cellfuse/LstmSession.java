package io.github.cellfuse;

import io.github.cellfuse.spi.HostStreams;

/**
 * Runs batches on an engine. A session belongs to one thread at a time: open one per thread. Two threads that use it at
 * the same time get an {@link IllegalStateException}, also from {@link #close}. A session keeps its work memory, which
 * grows with the largest batch; one that hasn't run yet costs next to nothing. Closing twice has no effect.
 */
public interface LstmSession extends AutoCloseable {

    /**
     * Runs a batch and writes the result into the caller's memory.
     *
     * @param input the batch; not changed
     * @param output receives y and the final states; must not share memory with the input. If it has no y
     *     ({@link LstmOutput#statesOnly(LstmModel, LstmInput)}), the final states only, with the same bits
     * @throws InvalidInputException if the shapes don't fit the model or each other, or are more than the device can
     *     hold. Nothing has been written, and the session can still be used.
     * @throws CellFuseException if the device fails or the thread is interrupted; the output is then undefined
     * @throws IllegalStateException if the session or its engine is closed, or if another thread is using the session
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

    /**
     * Frees the session's memory.
     *
     * @throws IllegalStateException if another thread is using the session
     */
    @Override
    void close();
}

package io.github.cellfuse.spi;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;

/** Runs batches and reports the values inside the cells. Not thread safe. Closing twice has no effect. */
public interface TracedSession extends AutoCloseable {
    /**
     * Runs a batch as {@link io.github.cellfuse.LstmSession#run(LstmInput, LstmOutput)} does, with the same errors.
     *
     * @param listener receives the values of all layers, on the thread of the caller
     */
    void run(LstmInput input, LstmOutput output, CellListener listener);

    @Override
    void close();
}

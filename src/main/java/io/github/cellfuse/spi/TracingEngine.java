package io.github.cellfuse.spi;

import io.github.cellfuse.LstmEngine;

/** An engine that can show what happens inside the cells. */
public interface TracingEngine extends LstmEngine {
    /**
     * Returns a new session whose runs report the values inside their cells. They take longer and more memory than
     * other runs, and give the same bits.
     *
     * @throws IllegalStateException if the engine is closed
     */
    TracedSession newTracedSession();
}

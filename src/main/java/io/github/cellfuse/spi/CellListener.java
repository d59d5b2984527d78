package io.github.cellfuse.spi;

/** Receives what happens inside the cells of a run. */
@FunctionalInterface
public interface CellListener {
    /**
     * Called for each layer from the lowest on, with some of its steps in one direction. The calls of a direction are
     * in its running order and cover every step up to the longest row's length once; within a call, steps are in the
     * order of time. The arrays belong to the listener.
     */
    void onSteps(CellTrace trace);
}

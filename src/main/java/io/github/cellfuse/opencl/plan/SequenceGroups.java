package io.github.cellfuse.opencl.plan;

/**
 * How {@code lstm_sequence.cl} divides a layer among its work-items: each takes one group of rows and one group of units.
 *
 * @param rows groups of rows at most; there are never more than tiles
 * @param units groups of units; more than one have to run at the same time, because they wait for each other at every step
 */
public record SequenceGroups(int rows, int units) {
    /** A work-item for each tile of rows, with all units: no work-item waits for another. */
    public static final SequenceGroups EACH_TILE = new SequenceGroups(Integer.MAX_VALUE, 1);

    /** Whether work-items wait for each other. */
    public boolean isCooperative() {
        return units > 1;
    }

    /** Groups of rows when there are {@code tiles} of them. */
    public int rowGroups(int tiles) {
        return Math.min(rows, tiles);
    }
}

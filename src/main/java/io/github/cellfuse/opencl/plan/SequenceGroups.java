package io.github.cellfuse.opencl.plan;

/**
 * How a whole sequence divides a layer among its work-items ({@code lstm_sequence.cl}) or work-groups
 * ({@code lstm_sequence_persistent.cl}): each takes one group of rows and one group of units.
 *
 * @param rows the most groups of rows for work-items, which never are more than tiles; for work-groups, those of the
 *     batch that they were chosen for
 * @param units groups of units; with more than one, those who have them are cooperative: they wait for each other at
 *     every step
 */
public record SequenceGroups(int rows, int units) {
    /** One work-item for each tile of rows, with all units: no work-item waits for another. */
    public static final SequenceGroups EACH_TILE = new SequenceGroups(Integer.MAX_VALUE, 1);

    /** Returns whether work-items wait for each other. */
    public boolean isCooperative() {
        return units > 1;
    }

    /** Returns the number of groups of rows when there are {@code tiles} tiles of rows. */
    public int rowGroups(int tiles) {
        return Math.min(rows, tiles);
    }
}

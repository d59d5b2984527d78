package io.github.cellfuse.opencl.program;

/**
 * How a work-group stages its tile in local memory ({@code gate_product_tiled.cl}).
 *
 * @param units work-items along the units, each with a block of them; 0 if nothing is staged
 * @param rows work-items along the rows
 * @param depth number of k in a stage
 */
public record Staging(int units, int rows, int depth) {
    /** No staging: the register tile of {@code gate_product.cl} reads from the caches. */
    public static final Staging NONE = new Staging(0, 0, 0);

    /** The largest value of each component. */
    public static final int MOST = 1024;

    /** Bytes of a float4: local memory is read in units of these. */
    private static final int WIDTH = 16;

    /** Returns the work-items of a group. */
    public int workItems() {
        return units * rows;
    }

    /**
     * Returns whether the kernels have work-items of {@code tileRows} rows each in this group, and all of them fetch
     * equal shares of a stage.
     */
    public boolean divides(int tileRows) {
        boolean readsRuns = (tileRows % 4 == 0 || tileRows <= 2) && rows * tileRows % 4 == 0;
        return readsRuns && tileRows * depth % (4 * units) == 0 && depth * 4 % rows == 0;
    }

    /** Returns the bytes of local memory of two stages with padding, if a work-item has {@code tileRows} rows. */
    public long bytes(int tileRows) {
        long x = (long) depth * (rows * tileRows / 4 + 1), weights = depth * 4L * (units + 1);
        return 2 * (x + weights) * WIDTH;
    }

    /** Returns the bytes of local memory in which {@code lstm_sequence_tiled} keeps the hidden states of its rows. */
    public long stateBytes(int tileRows) {
        return units * 4L * (rows * tileRows / 4 + 1) * WIDTH;
    }

    /** Returns, for example, {@code 8x16x8}. */
    @Override
    public String toString() {
        return units + "x" + rows + "x" + depth;
    }
}

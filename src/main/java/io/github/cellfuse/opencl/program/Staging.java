package io.github.cellfuse.opencl.program;

/**
 * How a work-group stages its tile in local memory ({@code gate_product_tiled.cl} and {@code gate_product_narrow.cl}).
 *
 * @param units work-items along the units; 0 if nothing is staged
 * @param rows work-items along the rows
 * @param depth number of k in a stage
 * @param itemUnits units of a work-item: those of a block, or 1 in a narrow tile
 * @param resident number of k whose weights stay in local memory for a whole sequence; 0 if each stage brings its own
 */
public record Staging(int units, int rows, int depth, int itemUnits, int resident) {
    /** Units of a block, and values of a float4: local memory is read in units of these. */
    private static final int BLOCK = 4;

    /** No staging: the register tile of {@code gate_product.cl} reads from the caches. */
    public static final Staging NONE = new Staging(0, 0, 0);

    /** The largest value of each component. */
    public static final int MOST = 1024;

    /** Bytes that a persistent kernel needs besides its tiles, with what a driver may take for alignment. */
    private static final int FLAG_BYTES = 128;

    /** Bytes of a float4. */
    private static final int WIDTH = BLOCK * Float.BYTES;

    /** Work-items that have all units of a block. */
    public Staging(int units, int rows, int depth) {
        this(units, rows, depth, BLOCK, 0);
    }

    /** Returns work-items that have one unit each. */
    public static Staging narrow(int units, int rows, int depth) {
        return new Staging(units, rows, depth, 1, 0);
    }

    /** Returns work-items that have one unit each, in groups that keep the weights of {@code resident} k. */
    public static Staging persistent(int units, int rows, int depth, int resident) {
        return new Staging(units, rows, depth, 1, resident);
    }

    /** Returns whether a group keeps the weights of its units for a whole sequence. */
    public boolean isPersistent() {
        return resident > 0;
    }

    /** Returns whether a work-item has one unit. */
    public boolean isNarrow() {
        return itemUnits == 1;
    }

    /** Returns the work-items of a group. */
    public int workItems() {
        return units * rows;
    }

    /**
     * Returns whether the kernels have work-items of {@code tileRows} rows each in this group, and all of them fetch
     * equal shares of a stage.
     */
    public boolean divides(int tileRows) {
        if (isPersistent()) {
            return depth % BLOCK == 0 && tileRows * depth % (BLOCK * units) == 0;
        }
        if (isNarrow()) {
            return units % BLOCK == 0
                    && depth % BLOCK == 0
                    && tileRows * depth % (BLOCK * units) == 0
                    && depth % rows == 0;
        }
        boolean readsRuns = (tileRows % 4 == 0 || tileRows <= 2) && rows * tileRows % 4 == 0;
        return readsRuns && tileRows * depth % (4 * units) == 0 && depth * 4 % rows == 0;
    }

    /** Returns the float4 that a work-item of {@code tileRows} rows fetches for a stage. */
    public int fetches(int tileRows) {
        int weights = isPersistent() ? 0 : units * itemUnits * depth;
        return (rows * tileRows * depth / BLOCK + weights) / workItems();
    }

    /**
     * Returns the bytes of local memory of two stages with padding, and of the weights that stay there, if a work-item
     * has {@code tileRows} rows.
     */
    public long bytes(int tileRows) {
        long x, weights;
        if (isPersistent()) {
            x = 2L * rows * tileRows * (depth / BLOCK + 1);
            return (x + (long) resident * units) * WIDTH + FLAG_BYTES;
        }
        if (isNarrow()) {
            x = (long) rows * tileRows * (depth / BLOCK + 1);
            weights = depth * (units + 1L);
        } else {
            x = (long) depth * (rows * tileRows / 4 + 1);
            weights = depth * 4L * (units + 1);
        }
        return 2 * (x + weights) * WIDTH;
    }

    /** Returns the bytes of local memory in which {@code lstm_sequence_tiled} keeps the hidden states of its rows. */
    public long stateBytes(int tileRows) {
        return units * 4L * (rows * tileRows / 4 + 1) * WIDTH;
    }

    /**
     * Returns, for example, {@code 8x16x8}, {@code 8x16x64x1} for work-items with one unit, or {@code 4x16x64x1x512}
     * for groups that keep the weights of 512 k.
     */
    @Override
    public String toString() {
        return units + "x" + rows + "x" + depth + (isNarrow() ? "x1" : "") + (isPersistent() ? "x" + resident : "");
    }
}

package io.github.cellfuse.opencl.program;

/**
 * How a work-group shares a tile: staged in local memory ({@code gate_product_tiled.cl} and
 * {@code gate_product_narrow.cl}), or with the weights in its work-items' registers
 * ({@code lstm_sequence_registers.cl}).
 *
 * @param units work-items along the units; 0 if nothing is staged
 * @param rows work-items along the rows
 * @param depth number of k in a stage; 0 if there are none, because all weights are in registers
 * @param itemUnits units of a work-item: those of a block, or 1 in a narrow tile; with weights in registers, the gates
 *     of units that it has
 * @param resident number of k whose weights stay in local memory or in registers for a whole sequence; 0 if each stage
 *     brings its own
 */
public record Staging(int units, int rows, int depth, int itemUnits, int resident) {
    /** Units of a block, and values of a float4: local memory is read in units of these. */
    private static final int BLOCK = 4;

    private static final int GATES = 4;

    /** {@code lstm_sequence_registers} is compiled for multiples of so many k, and knows that a layer has no fewer. */
    public static final int REGISTER_STEP = 8;

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

    /**
     * Returns a group that has all of up to {@code units} units, and keeps weights in registers.
     *
     * @param columns gates of a unit that a work-item has: 1 or 2
     * @param resident number of k whose weights are in registers; the others arrive in each step
     */
    public static Staging inRegisters(int columns, int rows, int units, int resident) {
        return new Staging(GATES * units / columns, rows, 0, columns, resident);
    }

    /** Returns whether a group keeps the weights of its units in local memory for a whole sequence. */
    public boolean isPersistent() {
        return resident > 0 && depth > 0;
    }

    /** Returns whether a group has all units, and keeps weights in registers for a whole sequence. */
    public boolean isInRegisters() {
        return resident > 0 && depth == 0;
    }

    /** Returns the units of a group. */
    int groupUnits() {
        return isInRegisters() ? units * itemUnits / GATES : units * itemUnits;
    }

    /** Returns how many of the columns of R, which are the gates of its units, a work-item has in registers. */
    public int columns() {
        return itemUnits;
    }

    /** Returns whether a work-item has one unit of a block, or less. */
    public boolean isNarrow() {
        return itemUnits == 1 || isInRegisters();
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
        if (isInRegisters()) {
            return resident % REGISTER_STEP == 0
                    && groupUnits() % REGISTER_STEP == 0
                    && itemUnits * units == GATES * groupUnits()
                    && resident <= groupUnits();
        }
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
        if (isInRegisters()) {
            return (long) rows * tileRows * (groupUnits() + GATES * gatePitch()) * Float.BYTES;
        }
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

    /** Returns the values from one gate of a row to the next: {@code GATE_PITCH} in {@code lstm_sequence_registers}. */
    private int gatePitch() {
        return groupUnits() + (40 - groupUnits() % 32) % 32;
    }

    /** Returns the bytes of local memory in which {@code lstm_sequence_tiled} keeps the hidden states of its rows. */
    public long stateBytes(int tileRows) {
        return units * 4L * (rows * tileRows / 4 + 1) * WIDTH;
    }

    /**
     * Returns, for example, {@code 8x16x8}, {@code 8x16x64x1} for work-items with one unit, {@code 4x16x64x1x512} for
     * groups that keep the weights of 512 k, or {@code 256x1x0x2x80} for groups that have those of 80 k in registers.
     */
    @Override
    public String toString() {
        return units + "x" + rows + "x" + depth + (isNarrow() ? "x" + itemUnits : "")
                + (resident > 0 ? "x" + resident : "");
    }
}

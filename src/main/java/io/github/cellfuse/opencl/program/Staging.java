package io.github.cellfuse.opencl.program;

/**
 * How a work-group stages its tile in local memory ({@code gate_product_tiled.cl}).
 *
 * @param units work-items along the units, each with a block of them; 0 where nothing is staged
 * @param rows work-items along the rows
 * @param depth k that are staged at once
 */
public record Staging(int units, int rows, int depth) {
    /** The register tile of {@code gate_product.cl}, which reads from the caches. */
    public static final Staging NONE = new Staging(0, 0, 0);

    /** Work-items of a group in either direction, and k of a stage, at most. */
    public static final int MOST = 1024;

    /** Bytes of the float4 that local memory is read by. */
    private static final int WIDTH = 16;

    /** Work-items of a group. */
    public int workItems() {
        return units * rows;
    }

    /** Whether every work-item, of {@code tileRows} rows, has equally much of a stage to fetch. */
    public boolean divides(int tileRows) {
        return tileRows % 4 == 0 && tileRows * depth % (4 * units) == 0 && depth * 4 % rows == 0;
    }

    /** Bytes of local memory for the two tiles of x and of the weights, with their padding, when a work-item has {@code tileRows} rows. */
    public long bytes(int tileRows) {
        long x = (long) depth * (rows * tileRows / 4 + 1), weights = depth * 4L * (units + 1);
        return 2 * (x + weights) * WIDTH;
    }

    /** Bytes of local memory in which {@code lstm_sequence_tiled} keeps the hidden states of its rows. */
    public long stateBytes(int tileRows) {
        return units * 4L * (rows * tileRows / 4 + 1) * WIDTH;
    }

    /** {@code 8x16x8}. */
    @Override
    public String toString() {
        return units + "x" + rows + "x" + depth;
    }
}

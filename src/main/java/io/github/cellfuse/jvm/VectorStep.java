package io.github.cellfuse.jvm;

/**
 * {@link VectorProduct} and {@link VectorCell} over the blocks of {@link VectorWeights}. The features and hidden states
 * of the rows are first interleaved, tile by tile, into panels {@code [I+P][rows of the tile]}. The loop of a tile then
 * has one running index for all rows; there aren't enough registers for one index per row. Input and recurrent products
 * become one chain in one loop.
 */
final class VectorStep implements CellStep {
    private static final int LANES = VectorArithmetic.LANES;

    private final VectorWeights weights;
    /** Inputs of a chain: {@code I+P}. */
    private final int depth;

    private final float[] panels;
    private final float[] sums = new float[4 * VectorProduct.MAX_ROWS * LANES];
    private final GeneralCell general; // null: an ordinary cell
    private final VectorCell cell = new VectorCell();

    VectorStep(VectorWeights weights, int rows, GeneralCell general) {
        this.weights = weights;
        this.general = general;
        depth = weights.inputs() + weights.outputs();
        panels = new float[Math.multiplyExact(rows, depth)];
    }

    @Override
    public void step(int rows, RowValues x, RowValues h, float[][] c, RowValues m) {
        for (int row = 0; row < rows; row += VectorProduct.tileRows(rows - row)) {
            int tileRows = VectorProduct.tileRows(rows - row);
            for (int r = 0; r < tileRows; r++) {
                int panel = row * depth + r;
                interleave(x, row + r, weights.inputs(), panel, tileRows);
                interleave(h, row + r, weights.outputs(), panel + weights.inputs() * tileRows, tileRows);
            }
        }
        for (VectorWeights.Block block : weights.blocks()) {
            // The block's weights stay in the second-level cache while all tiles use them.
            for (int row = 0; row < rows; row += VectorProduct.tileRows(rows - row)) {
                int tileRows = VectorProduct.tileRows(rows - row);
                VectorProduct.tile(tileRows, panels, row * depth, block.weights(), depth, block.bias(), sums);
                if (general == null) {
                    cell.update(sums, tileRows, block, c, row, m);
                } else {
                    updateGeneral(tileRows, block, c, row, m);
                }
            }
        }
    }

    private void updateGeneral(int rows, UnitBlock block, float[][] c, int row, RowValues m) {
        for (int r = 0; r < rows; r++) {
            int to = m.offsets()[row + r] + block.firstUnit();
            general.update(block, sums, r * LANES, rows * LANES, c, row + r, m.values(), to);
        }
    }

    private void interleave(RowValues from, int row, int count, int to, int stride) {
        float[] values = from.values();
        int offset = from.offsets()[row];
        for (int k = 0; k < count; k++) {
            panels[to + k * stride] = values[offset + k];
        }
    }
}

package io.github.cellfuse.jvm;

/**
 * {@link VectorProduct} and {@link VectorCell} over the blocks of {@link VectorWeights}. The rows' features and hidden states are
 * first interleaved, tile by tile, into panels {@code [I+P][rows of the tile]}: then a tile's loop has one running index for all its
 * rows instead of one each, for which there aren't the registers, and input and recurrent products are one chain in one loop.
 */
final class VectorStep implements CellStep {
    private static final int LANES = VectorArithmetic.LANES;

    private final VectorWeights weights;
    /** Inputs of a chain: {@code I+P}. */
    private final int depth;

    private final float[] panels;
    private final float[] sums = new float[4 * VectorProduct.MAX_ROWS * LANES];
    private final VectorCell cell = new VectorCell();

    VectorStep(VectorWeights weights, int rows) {
        this.weights = weights;
        depth = weights.inputs() + weights.outputs();
        panels = new float[Math.multiplyExact(rows, depth)];
    }

    @Override
    public void step(
            int rows, float[] x, int[] xOffset, float[] h, int[] hOffset, float[][] c, float[] m, int[] mOffset) {
        for (int row = 0; row < rows; row += VectorProduct.tileRows(rows - row)) {
            int tileRows = VectorProduct.tileRows(rows - row);
            for (int r = 0; r < tileRows; r++) {
                int panel = row * depth + r;
                interleave(x, xOffset[row + r], weights.inputs(), panel, tileRows);
                interleave(h, hOffset[row + r], weights.outputs(), panel + weights.inputs() * tileRows, tileRows);
            }
        }
        for (VectorWeights.Block block : weights.blocks()) {
            // The block's weights stay in the second-level cache while they go through the tiles.
            for (int row = 0; row < rows; row += VectorProduct.tileRows(rows - row)) {
                int tileRows = VectorProduct.tileRows(rows - row);
                VectorProduct.tile(tileRows, panels, row * depth, block.weights(), depth, block.bias(), sums);
                if (weights.general() == null) {
                    cell.update(sums, tileRows, block, c, row, m, mOffset);
                } else {
                    updateGeneral(tileRows, block, c, row, m, mOffset);
                }
            }
        }
    }

    private void updateGeneral(int rows, VectorWeights.Block block, float[][] c, int row, float[] m, int[] mOffset) {
        int unit = block.firstUnit();
        for (int r = 0; r < rows; r++) {
            weights.general()
                    .update(sums, r * LANES, rows * LANES, unit, block.units(), c[row + r], m, mOffset[row + r] + unit);
        }
    }

    private void interleave(float[] from, int offset, int count, int to, int stride) {
        for (int k = 0; k < count; k++) {
            panels[to + k * stride] = from[offset + k];
        }
    }
}

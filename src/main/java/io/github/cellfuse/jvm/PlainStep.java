package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;

/** {@link GateProduct} and {@link CellBlock} over the blocks of {@link PlainWeights}. */
final class PlainStep implements CellStep {
    /** Products at a time: their weights for a wide block are 16 KiB. */
    private static final int DEPTH = 16;

    private final PlainWeights weights;
    private final float[][] wideSums;
    private final float[][] narrowSums;
    private final CellBlock cellBlock = new CellBlock();

    PlainStep(PlainWeights weights, int rows) {
        this.weights = weights;
        wideSums = new float[rows][LstmWeights.GATES * GateProduct.WIDE];
        narrowSums = new float[rows][LstmWeights.GATES * GateProduct.NARROW];
    }

    @Override
    public void step(
            int rows, float[] x, int[] xOffset, float[] h, int[] hOffset, float[][] c, float[] m, int[] mOffset) {
        for (PlainWeights.Block block : weights.blocks()) {
            float[][] a = block.width() == GateProduct.WIDE ? wideSums : narrowSums;
            for (int row = 0; row < rows; row++) {
                System.arraycopy(block.bias(), 0, a[row], 0, a[row].length);
            }
            products(a, rows, x, xOffset, block.weights(), 0, weights.inputs());
            products(a, rows, h, hOffset, block.weights(), weights.inputs(), weights.outputs());
            int unit = block.firstUnit();
            for (int row = 0; row < rows; row++) {
                if (weights.general() == null) {
                    cellBlock.update(a[row], block.width(), block.units(), c[row], unit, m, mOffset[row] + unit);
                } else {
                    weights.general()
                            .update(a[row], 0, block.width(), unit, block.units(), c[row], m, mOffset[row] + unit);
                }
            }
        }
    }

    /**
     * Adds the products of all rows, a few k at a time: the weights of those stay in the first-level cache while they go through the
     * rows. Each sum is still one chain in ascending k.
     */
    private static void products(
            float[][] a, int rows, float[] x, int[] offset, float[][] weights, int first, int depth) {
        for (int k = 0; k < depth; k += DEPTH) {
            int part = Math.min(DEPTH, depth - k), row = 0;
            for (; row + GateProduct.ROWS <= rows; row += GateProduct.ROWS) {
                GateProduct.accumulate(a, offset, row, x, k, weights, first + k, part);
            }
            for (; row < rows; row++) {
                GateProduct.accumulateRow(a[row], x, offset[row] + k, weights, first + k, part);
            }
        }
    }
}

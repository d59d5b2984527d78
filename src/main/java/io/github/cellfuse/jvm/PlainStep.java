package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;

/** {@link GateProduct} and {@link CellBlock} over the blocks of {@link PlainWeights}. */
final class PlainStep implements CellStep {
    /** Products at a time; their weights for a wide block take 16 KiB. */
    private static final int DEPTH = 16;

    private final PlainWeights weights;
    private final float[][] wideSums;
    private final float[][] narrowSums;
    private final GeneralCell general; // null: an ordinary cell
    private final CellBlock cellBlock = new CellBlock();

    PlainStep(PlainWeights weights, int rows, GeneralCell general) {
        this.weights = weights;
        this.general = general;
        wideSums = new float[rows][LstmWeights.GATES * GateProduct.WIDE];
        narrowSums = new float[rows][LstmWeights.GATES * GateProduct.NARROW];
    }

    @Override
    public void step(int rows, RowValues x, RowValues h, float[][] c, RowValues m) {
        for (PlainWeights.Block block : weights.blocks()) {
            float[][] a = block.width() == GateProduct.WIDE ? wideSums : narrowSums;
            for (int row = 0; row < rows; row++) {
                System.arraycopy(block.bias(), 0, a[row], 0, a[row].length);
            }
            products(a, rows, x, block.weights(), 0, weights.inputs());
            products(a, rows, h, block.weights(), weights.inputs(), weights.outputs());
            int unit = block.firstUnit();
            for (int row = 0; row < rows; row++) {
                int to = m.offsets()[row] + unit;
                if (general == null) {
                    cellBlock.update(a[row], block.width(), block.units(), c[row], unit, m.values(), to);
                } else {
                    general.update(block, a[row], 0, block.width(), c, row, m.values(), to);
                }
            }
        }
    }

    /**
     * Adds the products of all rows, a few k at a time: their weights stay in the first-level cache while all rows use
     * them. Each sum is still one chain in ascending k.
     */
    private static void products(float[][] a, int rows, RowValues x, float[][] weights, int first, int depth) {
        for (int k = 0; k < depth; k += DEPTH) {
            int part = Math.min(DEPTH, depth - k), row = 0;
            for (; row + GateProduct.ROWS <= rows; row += GateProduct.ROWS) {
                GateProduct.accumulate(a, row, x, k, weights, first + k, part);
            }
            for (; row < rows; row++) {
                GateProduct.accumulateRow(a[row], x.values(), x.offsets()[row] + k, weights, first + k, part);
            }
        }
    }
}

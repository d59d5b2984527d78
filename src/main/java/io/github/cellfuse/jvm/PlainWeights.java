package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights packed for {@link GateProduct}: blocks of units, each with one array per k.
 *
 * @param inputs {@code I}
 * @param outputs {@code P}
 * @param units {@code H}
 * @param blocks the blocks of units
 * @param projection the weights {@code [H][P]} of the projection by its input; null without one
 * @param general the cell; null for an ordinary one
 */
record PlainWeights(int inputs, int outputs, int units, List<Block> blocks, float[][] projection, GeneralCell general)
        implements PackedWeights {

    /**
     * A block of units.
     *
     * @param firstUnit the first unit of the block
     * @param units the number of units, up to {@code width}; the other lanes have weights of zero
     * @param width {@link GateProduct#WIDE} or {@link GateProduct#NARROW}
     * @param bias {@code [4·width]}
     * @param weights {@code [I+P][4·width]}: the input weights, then the recurrent weights; gates i, f, g, o in this
     *     order
     */
    record Block(int firstUnit, int units, int width, float[] bias, float[][] weights) implements UnitBlock {}

    static PlainWeights of(LstmWeights weights) {
        float[] bias = weights.bias();
        List<Block> blocks = new ArrayList<>();
        for (int unit = 0; unit < weights.hiddenSize(); ) {
            int left = weights.hiddenSize() - unit;
            int width = width(left);
            int units = Math.min(left, width);
            blocks.add(block(weights, bias, unit, units, width));
            unit += units;
        }
        return new PlainWeights(
                weights.inputSize(),
                weights.outputSize(),
                weights.hiddenSize(),
                List.copyOf(blocks),
                PackedWeights.projectionOf(weights),
                GeneralCell.of(weights));
    }

    @Override
    public int cellWidth() {
        return units;
    }

    @Override
    public CellStep newStep(int rows, GeneralCell cell) {
        return new PlainStep(this, rows, cell);
    }

    /**
     * Returns the width of the next block if {@code units} units are left. Narrow blocks are better than a wide one
     * that is mostly padding.
     */
    static int width(int units) {
        return units > GateProduct.WIDE - GateProduct.NARROW ? GateProduct.WIDE : GateProduct.NARROW;
    }

    private static Block block(LstmWeights weights, float[] bias, int firstUnit, int units, int width) {
        int inputs = weights.inputSize(), outputs = weights.outputSize(), hidden = weights.hiddenSize();
        float[][] packed = new float[inputs + outputs][LstmWeights.GATES * width];
        float[] packedBias = new float[LstmWeights.GATES * width];
        for (int gate = 0; gate < LstmWeights.GATES; gate++) {
            for (int u = 0; u < units; u++) {
                int row = gate * hidden + firstUnit + u, lane = gate * width + u;
                packedBias[lane] = bias[row];
                for (int k = 0; k < inputs; k++) {
                    packed[k][lane] = weights.input()[row * inputs + k];
                }
                for (int k = 0; k < outputs; k++) {
                    packed[inputs + k][lane] = weights.recurrent()[row * outputs + k];
                }
            }
        }
        return new Block(firstUnit, units, width, packedBias, packed);
    }
}

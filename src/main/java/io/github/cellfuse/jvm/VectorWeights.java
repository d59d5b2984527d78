package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights packed for {@link VectorProduct}: one block of units per vector, with all its weights in one array.
 *
 * @param inputs {@code I}
 * @param outputs {@code P}
 * @param units {@code H}
 * @param blocks the blocks of units
 * @param projection the weights {@code [H][P]} of the projection by its input; null without one
 * @param general the cell; null for an ordinary one
 */
record VectorWeights(int inputs, int outputs, int units, List<Block> blocks, float[][] projection, GeneralCell general)
        implements PackedWeights {
    private static final int LANES = VectorArithmetic.LANES;

    /**
     * A block of units.
     *
     * @param firstUnit the first unit of the block
     * @param units the number of units, up to the lanes of a vector; the other lanes have weights of zero
     * @param bias {@code [4][lanes]}
     * @param weights {@code [I+P][4][lanes]}: the input weights, then the recurrent weights; gates i, f, g, o in this
     *     order
     */
    record Block(int firstUnit, int units, float[] bias, float[] weights) implements UnitBlock {}

    static VectorWeights of(LstmWeights weights) {
        float[] bias = weights.bias();
        List<Block> blocks = new ArrayList<>();
        for (int unit = 0; unit < weights.hiddenSize(); unit += LANES) {
            blocks.add(block(weights, bias, unit, Math.min(LANES, weights.hiddenSize() - unit)));
        }
        return new VectorWeights(
                weights.inputSize(),
                weights.outputSize(),
                weights.hiddenSize(),
                List.copyOf(blocks),
                PackedWeights.projectionOf(weights),
                GeneralCell.of(weights));
    }

    private static Block block(LstmWeights weights, float[] bias, int firstUnit, int units) {
        int inputs = weights.inputSize(), outputs = weights.outputSize(), hidden = weights.hiddenSize();
        int width = LstmWeights.GATES * LANES;
        float[] packed = new float[Math.multiplyExact(inputs + outputs, width)];
        float[] packedBias = new float[width];
        for (int gate = 0; gate < LstmWeights.GATES; gate++) {
            for (int u = 0; u < units; u++) {
                int row = gate * hidden + firstUnit + u, lane = gate * LANES + u;
                packedBias[lane] = bias[row];
                for (int k = 0; k < inputs; k++) {
                    packed[k * width + lane] = weights.input()[row * inputs + k];
                }
                for (int k = 0; k < outputs; k++) {
                    packed[(inputs + k) * width + lane] = weights.recurrent()[row * outputs + k];
                }
            }
        }
        return new Block(firstUnit, units, packedBias, packed);
    }

    @Override
    public int cellWidth() {
        return blocks.size() * LANES;
    }

    @Override
    public CellStep newStep(int rows, GeneralCell cell) {
        return new VectorStep(this, rows, cell);
    }
}

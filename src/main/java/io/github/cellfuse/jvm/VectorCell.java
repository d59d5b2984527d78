package io.github.cellfuse.jvm;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The update of {@link CellBlock} on the vectors of a tile: for each value the same operations in the same order.
 * Belongs to one task.
 */
final class VectorCell {
    private static final VectorSpecies<Float> SPECIES = VectorArithmetic.SPECIES;
    private static final int LANES = VectorArithmetic.LANES;

    /** The hidden states of a block that doesn't fill a vector. */
    private final float[] narrow = new float[LANES];

    /**
     * Computes {@code c' = f⊙c + i⊙g} and {@code m = o⊙tanh(c')}.
     *
     * @param a pre-activations {@code [4][rows][lanes]}, gates i, f, g, o; overwritten
     * @param rows rows of the tile
     * @param block the units
     * @param c cell states of all rows, updated in place
     * @param row the first row of the tile
     * @param m receives the results of all rows
     */
    void update(float[] a, int rows, UnitBlock block, float[][] c, int row, RowValues m) {
        int gate = rows * LANES, unit = block.firstUnit();
        VectorActivations.sigmoid(a, 0, 2 * gate);
        VectorActivations.tanh(a, 2 * gate, 3 * gate);
        VectorActivations.sigmoid(a, 3 * gate, 4 * gate);
        for (int r = 0; r < rows; r++) {
            combine(a, r * LANES, gate, c[row + r], unit);
        }
        VectorActivations.tanh(a, 2 * gate, 3 * gate);
        for (int r = 0; r < rows; r++) {
            int tanh = 2 * gate + r * LANES, output = tanh + gate, to = m.offsets()[row + r] + unit;
            if (block.units() == LANES) {
                multiply(a, output, tanh, m.values(), to);
            } else {
                multiply(a, output, tanh, narrow, 0);
                System.arraycopy(narrow, 0, m.values(), to, block.units());
            }
        }
    }

    /** Writes the new cell states to {@code c}, and to the place of g. */
    private static void combine(float[] a, int at, int gate, float[] c, int unit) {
        FloatVector input = FloatVector.fromArray(SPECIES, a, at);
        FloatVector forget = FloatVector.fromArray(SPECIES, a, at + gate);
        FloatVector candidate = FloatVector.fromArray(SPECIES, a, at + 2 * gate);
        FloatVector next = forget.fma(FloatVector.fromArray(SPECIES, c, unit), input.mul(candidate));
        next.intoArray(c, unit);
        next.intoArray(a, at + 2 * gate);
    }

    private static void multiply(float[] a, int output, int tanh, float[] to, int offset) {
        FloatVector.fromArray(SPECIES, a, output)
                .mul(FloatVector.fromArray(SPECIES, a, tanh))
                .intoArray(to, offset);
    }
}

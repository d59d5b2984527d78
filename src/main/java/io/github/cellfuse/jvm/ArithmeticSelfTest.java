package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import java.util.Random;

/**
 * Compares an arithmetic with the plain one, just as OpenCL devices are compared with the Java engine: a few steps that
 * use every tile, a full and a partial block. Linkage errors then occur here, not during a run.
 */
final class ArithmeticSelfTest {
    private static final int INPUTS = 3, UNITS = 21;
    /** Tiles of 6, 3 and 2 rows, or of 3 and 2; and a single row. */
    private static final int[] ROWS = {11, 1};

    private ArithmeticSelfTest() {}

    /** Returns what differs; null if every bit agrees. */
    static String failure(Arithmetic arithmetic) {
        Random random = new Random(20260101);
        LstmWeights weights = LstmWeights.builder(INPUTS, UNITS)
                .input(values(random, 4 * UNITS * INPUTS))
                .recurrent(values(random, 4 * UNITS * UNITS))
                .inputBias(values(random, 4 * UNITS))
                .build();
        for (int rows : ROWS) {
            float[] x = values(random, rows * INPUTS), h = values(random, rows * UNITS);
            float[] c = values(random, rows * UNITS);
            float[] expected = run(new PlainArithmetic(), weights, rows, x, h, c);
            float[] found = run(arithmetic, weights, rows, x, h, c);
            for (int k = 0; k < expected.length; k++) {
                if (Float.floatToIntBits(expected[k]) != Float.floatToIntBits(found[k])) {
                    return arithmetic.name() + " failed the opening self-test: expected "
                            + Float.toHexString(expected[k]) + ", found " + Float.toHexString(found[k]);
                }
            }
        }
        return null;
    }

    /** Returns the hidden states and then the cell states of all rows after a step. */
    private static float[] run(Arithmetic arithmetic, LstmWeights weights, int rows, float[] x, float[] h, float[] c) {
        PackedWeights packed = arithmetic.pack(weights);
        float[][] cells = new float[rows][packed.cellWidth()];
        int[] xOffset = new int[rows], hOffset = new int[rows];
        for (int row = 0; row < rows; row++) {
            xOffset[row] = row * INPUTS;
            hOffset[row] = row * UNITS;
            System.arraycopy(c, row * UNITS, cells[row], 0, UNITS);
        }
        float[] result = new float[2 * rows * UNITS];
        packed.newStep(rows, packed.general())
                .step(
                        rows,
                        new RowValues(x, xOffset),
                        new RowValues(h, hOffset),
                        cells,
                        new RowValues(result, hOffset));
        for (int row = 0; row < rows; row++) {
            System.arraycopy(cells[row], 0, result, (rows + row) * UNITS, UNITS);
        }
        return result;
    }

    private static float[] values(Random random, int count) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = random.nextFloat() * 4 - 2;
        }
        return values;
    }
}

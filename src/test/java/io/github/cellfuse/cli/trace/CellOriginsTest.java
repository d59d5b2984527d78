package io.github.cellfuse.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.spi.CellValue;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CellOriginsTest {
    /** From a zero state, the parts of all steps add up to the cell state. */
    @Test
    void thePartsAddUpToTheCellState() {
        int rows = 3, steps = 9, inputs = 4, units = 5;
        Random random = new Random(11);
        LstmModel model = RandomLstm.model(random, 2, inputs, units, false, true);
        LstmInput input = LstmInput.batchMajor(RandomLstm.values(random, rows * steps * inputs, 1), rows, steps)
                .withLengths(9, 4, 1);
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model)) {
            TracedBatch trace = TracedBatch.run("", engine, input, new int[] {0, 1, 2});
            for (int layer = 0; layer < 2; layer++) {
                for (int row = 0; row < rows; row++) {
                    int length = input.lengths()[row];
                    double[][] parts = CellOrigins.parts(trace, layer, row);
                    assertEquals(length, parts.length);
                    float[] c = trace.layers().get(layer).of(CellValue.CELL_STATE);
                    for (int unit = 0; unit < units; unit++) {
                        double sum = 0;
                        for (double[] part : parts) {
                            sum += part[unit];
                        }
                        assertEquals(c[((length - 1) * rows + row) * units + unit], sum, 1e-6);
                    }
                    double[] kept = CellOrigins.kept(trace, layer, row);
                    assertEquals(1, kept[length - 1]);
                    assertTrue(Arrays.stream(kept).allMatch(share -> share > 0 && share <= 1), Arrays.toString(kept));
                }
            }
        }
    }
}

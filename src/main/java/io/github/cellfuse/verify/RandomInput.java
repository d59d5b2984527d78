package io.github.cellfuse.verify;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Random;

/**
 * Creates batches of normally distributed features. The same seed gives the same batch on every machine. Thread safe.
 */
public final class RandomInput {
    private RandomInput() {}

    /**
     * Returns full-length sequences that start from states of zeros.
     *
     * @throws io.github.cellfuse.InvalidInputException if a size is less than 1 or the batch is larger than a buffer
     */
    public static LstmInput full(LstmModel model, Layout layout, int rows, int steps, long seed) {
        int size = Sizes.elements("input [N,T,I]", rows, steps, model.inputSize());
        FloatBuffer x = FloatBuffer.wrap(normal(new Random(seed), size, 1));
        return LstmInput.of(layout, x, rows, steps);
    }

    /**
     * Returns sequences of lengths from 0 to {@code steps} that start from random states. If there are two rows or
     * more, both extremes occur.
     *
     * @throws io.github.cellfuse.InvalidInputException if a size is less than 1 or the batch is larger than a buffer
     */
    public static LstmInput ragged(LstmModel model, Layout layout, int rows, int steps, long seed) {
        Random random = new Random(~seed);
        // Created first, because it refuses invalid shapes.
        LstmInput full = full(model, layout, rows, steps, seed);
        int[] lengths = new int[rows];
        for (int row = 0; row < rows; row++) {
            lengths[row] = random.nextInt(steps + 1);
        }
        lengths[0] = rows > 1 ? 0 : steps;
        lengths[rows - 1] = steps;
        LstmState zeros = LstmState.zeros(model, rows);
        // A hidden state is within ±1 unless it is projected.
        LstmState initial =
                new LstmState(rows, normal(random, zeros.h().length, 0.5), normal(random, zeros.c().length, 1));
        return full.withLengths(lengths).withInitialState(initial);
    }

    private static float[] normal(Random random, int count, double deviation) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }
}

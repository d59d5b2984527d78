package io.github.cellfuse.verify;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Random;

/** Batches of normally distributed features, the same for the same seed everywhere. */
public final class RandomInput {
    private RandomInput() {}

    /** Full-length sequences from states of zeros. */
    public static LstmInput full(LstmModel model, Layout layout, int rows, int steps, long seed) {
        int size = Sizes.elements("input [N,T,I]", rows, steps, model.inputSize());
        FloatBuffer x = FloatBuffer.wrap(normal(new Random(seed), size, 1));
        return LstmInput.of(layout, x, rows, steps);
    }

    /** Sequences of lengths from 0 to {@code steps}, both present where there are two rows, from random states. */
    public static LstmInput ragged(LstmModel model, Layout layout, int rows, int steps, long seed) {
        Random random = new Random(~seed);
        // Made first: it refuses a shape that is none.
        LstmInput full = full(model, layout, rows, steps, seed);
        int[] lengths = new int[rows];
        for (int row = 0; row < rows; row++) {
            lengths[row] = random.nextInt(steps + 1);
        }
        lengths[0] = rows > 1 ? 0 : steps;
        lengths[rows - 1] = steps;
        LstmState zeros = LstmState.zeros(model, rows);
        // A hidden state stays within ±1 unless it is projected.
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

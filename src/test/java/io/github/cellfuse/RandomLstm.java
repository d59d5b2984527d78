package io.github.cellfuse;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random models and batches for property tests. One seed makes one case; {@link #toString} says which. */
public record RandomLstm(long seed, LstmModel model, LstmInput input) {
    /** Sizes around what a tile or a vector holds. */
    public static final int[] SIZES = {1, 7, 31, 64, 207};

    /** A case with random everything: layers, directions, projection, bias, sizes, lengths, states, layout. */
    public static RandomLstm of(long seed) {
        Random random = new Random(seed);
        // One size may be large, so that a case stays fast.
        int large = random.nextInt(4);
        int inputs = size(random, large == 0), units = size(random, large == 1), rows = size(random, large == 2);
        int steps = 1 + random.nextInt(large == 3 ? 40 : 9);
        LstmModel model =
                model(random, 1 + random.nextInt(3), inputs, units, random.nextInt(3) == 0, random.nextInt(4) != 0);
        return new RandomLstm(seed, model, input(random, model, rows, steps));
    }

    private static int size(Random random, boolean large) {
        return SIZES[random.nextInt(large ? SIZES.length : 3)];
    }

    /** A random model; gates differ in size, so that a swapped gate shows. */
    public static LstmModel model(Random random, int layers, int inputs, int units, boolean projected, boolean biased) {
        return model(random, Direction.values()[random.nextInt(3)], layers, inputs, units, projected, biased);
    }

    /** A random model of the given direction. */
    public static LstmModel model(
            Random random, Direction direction, int layers, int inputs, int units, boolean projected, boolean biased) {
        int outputs = projected ? Math.max(1, units / 2) : units;
        List<List<LstmWeights>> all = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            int width = layer == 0 ? inputs : direction.count() * outputs;
            List<LstmWeights> directions = new ArrayList<>();
            for (int d = 0; d < direction.count(); d++) {
                directions.add(weights(random, width, units, outputs, projected, biased));
            }
            all.add(directions);
        }
        return new LstmModel(direction, all);
    }

    private static LstmWeights weights(
            Random random, int inputs, int units, int outputs, boolean projected, boolean biased) {
        float scale = (float) (2 / Math.sqrt(units));
        return new LstmWeights(
                inputs,
                units,
                outputs,
                values(random, 4 * units * inputs, scale),
                values(random, 4 * units * outputs, scale),
                biased ? values(random, 4 * units, 1) : null,
                biased ? values(random, 4 * units, 1) : null,
                projected ? values(random, outputs * units, scale) : null);
    }

    /** A random batch for {@code model}: half of them ragged, half of them with initial states, in either layout. */
    public static LstmInput input(Random random, LstmModel model, int rows, int steps) {
        float[] x = values(random, rows * steps * model.inputSize(), 3);
        Layout layout = random.nextBoolean() ? Layout.BATCH_MAJOR : Layout.TIME_MAJOR;
        LstmInput input = new LstmInput(layout, rows, steps, FloatBuffer.wrap(x), null, null);
        if (random.nextBoolean()) {
            input = input.withLengths(random.ints(rows, 0, steps + 1).toArray());
        }
        return random.nextBoolean() ? input.withInitialState(state(random, model, rows)) : input;
    }

    /** Random states for {@code rows} rows. */
    public static LstmState state(Random random, LstmModel model, int rows) {
        LstmState zeros = LstmState.zeros(model, rows);
        return new LstmState(rows, values(random, zeros.h().length, 1), values(random, zeros.c().length, 2));
    }

    /** Uniform values in ±scale. */
    public static float[] values(Random random, int count, float scale) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (random.nextFloat() * 2 - 1) * scale;
        }
        return values;
    }

    @Override
    public String toString() {
        return "seed " + seed + ": L=" + model.layerCount() + " " + model.last().direction() + " I=" + model.inputSize()
                + " H=" + model.last().hiddenSize() + " P=" + model.last().stateSize() + " N=" + input.rows() + " T="
                + input.steps();
    }
}

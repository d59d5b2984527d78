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

    /** An ordinary case, or every third time one {@link #general}. */
    public static RandomLstm any(long seed) {
        return seed % 3 != 0 ? of(seed) : general(seed);
    }

    /** A case whose layers differ in size, direction, functions, clip, coupling, peepholes and projection. */
    public static RandomLstm general(long seed) {
        Random random = new Random(seed);
        int large = random.nextInt(3);
        int width = size(random, large == 0), rows = size(random, large == 1);
        List<LstmLayer> layers = new ArrayList<>();
        int inputs = width;
        for (int left = 1 + random.nextInt(3); left > 0; left--) {
            LstmLayer layer = generalLayer(random, inputs, size(random, large == 2));
            layers.add(layer);
            inputs = layer.outputSize();
        }
        LstmModel model = new LstmModel(layers);
        return new RandomLstm(seed, model, input(random, model, rows, 1 + random.nextInt(9)));
    }

    /** Few, as a device compiles its kernels anew for each: all functions are among them. */
    private static final List<CellEquations> EQUATIONS = List.of(
            CellEquations.ORDINARY.withClip(0.75f),
            CellEquations.ORDINARY.withCoupled(true),
            of(ActivationFunction.HARD_SIGMOID, ActivationFunction.RELU, ActivationFunction.SOFTSIGN),
            of(ActivationFunction.SOFTPLUS, ActivationFunction.SCALED_TANH, ActivationFunction.ELU)
                    .withClip(2.5f),
            of(ActivationFunction.SIGMOID, ActivationFunction.THRESHOLDED_RELU, ActivationFunction.LEAKY_RELU)
                    .withCoupled(true),
            of(ActivationFunction.AFFINE, ActivationFunction.SOFTSIGN, ActivationFunction.TANH)
                    .withClip(1));

    private static CellEquations of(ActivationFunction gate, ActivationFunction candidate, ActivationFunction hidden) {
        return new CellEquations(
                new Activation(gate, 0.3f, 0.4f),
                new Activation(candidate, 0.9f, 0.8f),
                new Activation(hidden, 0.7f, 1.1f),
                CellEquations.NO_CLIP,
                false);
    }

    private static LstmLayer generalLayer(Random random, int inputs, int units) {
        Direction direction = Direction.values()[random.nextInt(3)];
        boolean peepholes = random.nextBoolean(), projected = random.nextInt(3) == 0;
        int outputs = projected ? Math.max(1, units / 2) : units;
        int equations = random.nextInt(EQUATIONS.size());
        boolean alike = equations > 0;
        List<LstmWeights> weights = new ArrayList<>();
        for (int d = 0; d < direction.count(); d++) {
            LstmWeights.Builder one =
                    weights(random, inputs, units, outputs, projected, random.nextInt(4) != 0).toBuilder();
            if (peepholes) {
                one.peepholes(values(random, LstmWeights.PEEPHOLES * units, 0.7f));
            }
            weights.add(one.equations(d == 0 || alike ? EQUATIONS.get(equations) : CellEquations.ORDINARY)
                    .build());
        }
        return new LstmLayer(direction, weights);
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
        LstmWeights.Builder weights = LstmWeights.builder(inputs, units)
                .input(values(random, 4 * units * inputs, scale))
                .recurrent(values(random, 4 * units * outputs, scale));
        if (biased) {
            weights.inputBias(values(random, 4 * units, 1)).recurrentBias(values(random, 4 * units, 1));
        }
        if (projected) {
            weights.projection(values(random, outputs * units, scale), outputs);
        }
        return weights.build();
    }

    /** A random batch for {@code model}: half of them ragged, half of them with initial states, in either layout. */
    public static LstmInput input(Random random, LstmModel model, int rows, int steps) {
        float[] x = values(random, rows * steps * model.inputSize(), 3);
        Layout layout = random.nextBoolean() ? Layout.BATCH_MAJOR : Layout.TIME_MAJOR;
        LstmInput input = LstmInput.of(layout, FloatBuffer.wrap(x), rows, steps);
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
        if (!model.isUniform() || !model.isOrdinary()) {
            return "seed " + seed + ": "
                    + model.layers().stream().map(RandomLstm::describe).toList() + " N=" + input.rows() + " T="
                    + input.steps();
        }
        return "seed " + seed + ": L=" + model.layerCount() + " " + model.last().direction() + " I=" + model.inputSize()
                + " H=" + model.last().hiddenSize() + " P=" + model.last().stateSize() + " N=" + input.rows() + " T="
                + input.steps();
    }

    private static String describe(LstmLayer layer) {
        return layer.direction() + " I=" + layer.inputSize() + " H=" + layer.hiddenSize() + " P=" + layer.stateSize()
                + (layer.hasPeepholes() ? " peepholes" : "") + " "
                + layer.weights().stream()
                        .map(LstmWeights::equations)
                        .distinct()
                        .toList();
    }
}

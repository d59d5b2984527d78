package io.github.cellfuse.bench;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A model and a batch of the given sizes. Their values are the same every time.
 *
 * @param model a model with the distribution of PyTorch's default initialization, rounded to the precision of the
 *     weights
 * @param input {@code [T,N,I]}, values from -1 to 1
 */
record BenchProblem(LstmModel model, LstmInput input) {
    static BenchProblem of(Dimensions d) {
        SplittableRandom random = new SplittableRandom(1);
        float scale = (float) (1 / Math.sqrt(d.h()));
        List<LstmLayer> layers = new ArrayList<>();
        for (int layer = 0; layer < d.layers(); layer++) {
            List<LstmWeights> directions = new ArrayList<>();
            for (int direction = 0; direction < d.directions(); direction++) {
                directions.add(weights(d, d.inputs(layer), random, scale));
            }
            layers.add(new LstmLayer(direction(d, layer), directions));
        }
        LstmModel model = new LstmModel(layers);
        float[] x = values(random, Sizes.product("x [T,N,I]", d.t(), d.n(), d.i()), 1);
        return new BenchProblem(d.weights().round(model), LstmInput.timeMajor(x, d.n(), d.t()));
    }

    private static Direction direction(Dimensions d, int layer) {
        if (d.directions() == 2) {
            return Direction.BIDIRECTIONAL;
        }
        return d.alternating() && layer % 2 == 0 ? Direction.REVERSE : Direction.FORWARD;
    }

    private static LstmWeights weights(Dimensions d, int inputs, SplittableRandom random, float scale) {
        long h = d.h();
        LstmWeights.Builder weights = LstmWeights.builder(inputs, d.h())
                .input(values(random, 4 * h * inputs, scale))
                .recurrent(values(random, 4 * h * d.p(), scale))
                .inputBias(values(random, 4 * h, scale))
                .recurrentBias(values(random, 4 * h, scale));
        return (d.p() == d.h() ? weights : weights.projection(values(random, h * d.p(), scale), d.p())).build();
    }

    private static float[] values(SplittableRandom random, long count, float scale) {
        float[] values = new float[Sizes.elements("random values", count)];
        for (int k = 0; k < values.length; k++) {
            // A float has room for 24 random bits.
            values[k] = ((random.nextInt() >>> 8) * 0x1p-23f - 1) * scale;
        }
        return values;
    }

    /** Returns plain Java's output, with which everything timed is compared. */
    FloatBuffer expected() {
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                LstmSession session = engine.newSession()) {
            return session.run(input).y();
        }
    }

    /** Fails if a result differs from the expected one in any bit. */
    static void check(String name, LstmOutput output, FloatBuffer expected) {
        if (output.y().mismatch(expected) >= 0) {
            throw new CellFuseException(name + " and java differ in y; 'cellfuse verify' shows where");
        }
    }
}

package io.github.cellfuse.bench.load;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** The sizes of a batch and of a model of one layer. */
public record LayerShape(int steps, int rows, int inputs, int units) {
    /** Returns the shape that {@code word} names: {@code T,N,I,H}. */
    public static LayerShape parse(String word) {
        int[] sizes = Arrays.stream(word.split(",")).mapToInt(Integer::parseInt).toArray();
        return new LayerShape(sizes[0], sizes[1], sizes[2], sizes[3]);
    }

    /** Returns the operations of the products. */
    public double flops() {
        return 8.0 * units * (inputs + (double) units) * rows * steps;
    }

    /** Returns a model of random weights. */
    public LstmModel model(SplittableRandom random) {
        float scale = (float) (1 / Math.sqrt(units));
        return new LstmModel(
                Direction.FORWARD,
                List.of(List.of(LstmWeights.builder(inputs, units)
                        .input(values(random, 4 * units * inputs, scale))
                        .recurrent(values(random, 4 * units * units, scale))
                        .inputBias(values(random, 4 * units, scale))
                        .recurrentBias(values(random, 4 * units, scale))
                        .build())));
    }

    /** Returns a batch of random numbers. */
    public LstmInput input(SplittableRandom random) {
        return LstmInput.timeMajor(values(random, steps * rows * inputs, 1), rows, steps);
    }

    private static float[] values(SplittableRandom random, int count, float scale) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = ((random.nextInt() >>> 8) * 0x1p-23f - 1) * scale;
        }
        return values;
    }

    @Override
    public String toString() {
        return steps + "," + rows + "," + inputs + "," + units;
    }
}

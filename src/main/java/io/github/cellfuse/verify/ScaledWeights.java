package io.github.cellfuse.verify;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Models with a model's weights scaled. */
final class ScaledWeights {
    /** The largest pre-activation of {@link #linear} for features of up to {@link #LARGEST_FEATURE}. */
    private static final double LINEAR_RANGE = 0.1, LARGEST_FEATURE = 3;

    private ScaledWeights() {}

    /** Returns {@code model} scaled by a power of two, so that its largest weight is at most {@code most}. */
    static LstmModel upTo(LstmModel model, float most) {
        return map(model, weights -> {
            float largest = (float) Stream.of(
                            Optional.of(weights.input()),
                            Optional.of(weights.recurrent()),
                            weights.inputBias(),
                            weights.recurrentBias(),
                            weights.projection(),
                            weights.peepholes())
                    .flatMap(Optional::stream)
                    .mapToDouble(ScaledWeights::largest)
                    .max()
                    .orElse(0);
            boolean canScale = largest > 0 && Float.isFinite(largest);
            int exponent = canScale ? Math.getExponent(most) - Math.getExponent(largest) - 1 : 0;
            return scaled(weights, exponent);
        });
    }

    /**
     * Returns {@code model} scaled by a power of two for each direction, so that no pre-activation leaves the range in
     * which sigmoid and tanh are nearly linear.
     */
    static LstmModel linear(LstmModel model) {
        return map(model, weights -> {
            double most = 0;
            float[] bias = weights.bias();
            for (int row = 0; row < bias.length; row++) {
                double sum = LARGEST_FEATURE * magnitude(weights.input(), row, weights.inputSize())
                        + magnitude(weights.recurrent(), row, weights.outputSize())
                        + Math.abs(bias[row]);
                most = Math.max(most, sum);
            }
            boolean canScale = most > LINEAR_RANGE && Double.isFinite(most);
            return canScale ? scaled(weights, Math.getExponent(LINEAR_RANGE / most)) : weights;
        });
    }

    /**
     * Returns {@code model} with each second column of the lowest layer's input weights the negative of the one before:
     * nearly equal features then cancel.
     */
    static LstmModel paired(LstmModel model) {
        List<LstmLayer> layers = new ArrayList<>(model.layers());
        LstmLayer lowest = layers.get(0);
        layers.set(
                0,
                new LstmLayer(
                        lowest.direction(),
                        lowest.weights().stream()
                                .map(weights -> {
                                    float[] input = weights.input().clone();
                                    int width = weights.inputSize();
                                    for (int k = 0; k < input.length; k++) {
                                        input[k] = k % width % 2 == 1 ? -input[k - 1] : input[k];
                                    }
                                    return weights.toBuilder().input(input).build();
                                })
                                .toList()));
        return new LstmModel(layers);
    }

    /** Returns {@code model} with biases of zero. */
    static LstmModel withoutBias(LstmModel model) {
        return map(model, weights -> mapped(weights, array -> array, array -> new float[array.length]));
    }

    private static LstmWeights scaled(LstmWeights weights, int exponent) {
        UnaryOperator<float[]> scale = array -> {
            float[] result = new float[array.length];
            for (int k = 0; k < array.length; k++) {
                result[k] = Math.scalb(array[k], exponent);
            }
            return result;
        };
        return mapped(weights, scale, scale);
    }

    private static LstmWeights mapped(
            LstmWeights weights, UnaryOperator<float[]> matrices, UnaryOperator<float[]> biases) {
        LstmWeights.Builder builder = weights.toBuilder()
                .input(matrices.apply(weights.input()))
                .recurrent(matrices.apply(weights.recurrent()));
        weights.inputBias().ifPresent(bias -> builder.inputBias(biases.apply(bias)));
        weights.recurrentBias().ifPresent(bias -> builder.recurrentBias(biases.apply(bias)));
        weights.projection().ifPresent(s -> builder.projection(matrices.apply(s), weights.outputSize()));
        weights.peepholes().ifPresent(p -> builder.peepholes(matrices.apply(p)));
        return builder.build();
    }

    private static LstmModel map(LstmModel model, UnaryOperator<LstmWeights> change) {
        return new LstmModel(model.layers().stream()
                .map(layer -> new LstmLayer(
                        layer.direction(), layer.weights().stream().map(change).toList()))
                .toList());
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double magnitude(float[] matrix, int row, int width) {
        double sum = 0;
        for (int k = 0; k < width; k++) {
            sum += Math.abs(matrix[row * width + k]);
        }
        return sum;
    }
}

package io.github.cellfuse.format.keras;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;

/** Keras' activation functions by their names. */
final class KerasActivation {
    /** The slope below zero of {@code keras.activations.leaky_relu} and of TensorFlow's function of that name. */
    private static final float LEAKY_SLOPE = 0.2f;

    private KerasActivation() {}

    /**
     * Returns the function that the setting {@code key} names.
     *
     * @param generation of the Keras that saved the model: 2 and 3 have different hard sigmoids
     */
    static Activation of(Config config, String key, int generation) {
        if (config.json().has(key) && !config.has(key)) {
            return identity();
        }
        if (config.json().get(key) != null && !config.json().get(key).isJsonPrimitive()) {
            throw config.invalid(key + ": expected the name of one of Keras' functions, found an object of one's own; "
                    + LayerStack.EXPORT);
        }
        String name = config.string(key);
        return switch (name) {
            case "sigmoid" -> Activation.SIGMOID;
            case "tanh" -> Activation.TANH;
            case "relu" -> Activation.of(ActivationFunction.RELU);
            case "linear" -> identity();
            case "elu" -> new Activation(ActivationFunction.ELU, 1, 0);
            case "softsign" -> Activation.of(ActivationFunction.SOFTSIGN);
            case "softplus" -> Activation.of(ActivationFunction.SOFTPLUS);
            case "leaky_relu" -> new Activation(ActivationFunction.LEAKY_RELU, LEAKY_SLOPE, 0);
            // Keras 2: 0.2·x + 0.5; Keras 3: relu6(x + 3) / 6.
            case "hard_sigmoid" ->
                new Activation(ActivationFunction.HARD_SIGMOID, generation >= 3 ? 1 / 6f : 0.2f, 0.5f);
            default ->
                throw config.invalid(key + ": expected sigmoid, tanh, relu, linear, elu, softsign, softplus, leaky_relu"
                        + " or hard_sigmoid, found '" + name + "'; " + LayerStack.EXPORT);
        };
    }

    private static Activation identity() {
        return new Activation(ActivationFunction.AFFINE, 1, 0);
    }
}

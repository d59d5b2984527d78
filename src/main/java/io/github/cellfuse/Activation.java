package io.github.cellfuse;

import java.util.Objects;

/**
 * An activation function with its parameters. A parameter that the function doesn't have is stored as 0.
 *
 * @param function the function
 * @param alpha α, finite
 * @param beta β, finite
 */
public record Activation(ActivationFunction function, float alpha, float beta) {
    /** The function of the gates in an ordinary LSTM. */
    public static final Activation SIGMOID = of(ActivationFunction.SIGMOID);

    /** The function of the candidate memory and of the cell state in an ordinary LSTM. */
    public static final Activation TANH = of(ActivationFunction.TANH);

    public Activation {
        Objects.requireNonNull(function, "function");
        alpha = function.hasAlpha() ? finite(function, "alpha", alpha) : 0;
        beta = function.hasBeta() ? finite(function, "beta", beta) : 0;
    }

    /** Returns {@code function} with its default parameters. */
    public static Activation of(ActivationFunction function) {
        return new Activation(function, function.defaultAlpha(), function.defaultBeta());
    }

    private static float finite(ActivationFunction function, String name, float value) {
        if (!Float.isFinite(value)) {
            throw new InvalidInputException(
                    function.onnxName() + ", " + name + ": expected a finite number, found " + value);
        }
        return value;
    }

    /** Returns the function with its parameters, such as {@code HardSigmoid(0.2, 0.5)}. */
    @Override
    public String toString() {
        if (!function.hasAlpha()) {
            return function.onnxName();
        }
        return function.onnxName() + "(" + alpha + (function.hasBeta() ? ", " + beta : "") + ")";
    }
}

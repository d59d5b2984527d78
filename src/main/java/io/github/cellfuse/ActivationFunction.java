package io.github.cellfuse;

import java.util.Locale;
import java.util.Optional;

/**
 * The activation functions of a cell: the eleven functions of the ONNX operator LSTM, with its parameters α and β. Each
 * is <em>defined</em> as a sequence of operations ({@code docs/design/numerics.md}), so every exact device gives the
 * same bits.
 */
public enum ActivationFunction {
    /** {@code 1 / (1 + e^-x)}. */
    SIGMOID("Sigmoid"),
    /** The hyperbolic tangent. */
    TANH("Tanh"),
    /** {@code max(0, x)}. */
    RELU("Relu"),
    /** {@code α·x + β}. */
    AFFINE("Affine", 1, 0),
    /** {@code x} if {@code x ≥ 0}, else {@code α·x}. */
    LEAKY_RELU("LeakyRelu", 0.01f),
    /** {@code x} if {@code x ≥ α}, else 0. */
    THRESHOLDED_RELU("ThresholdedRelu", 1),
    /** {@code α·tanh(β·x)}. */
    SCALED_TANH("ScaledTanh", 1, 1),
    /** {@code α·x + β}, limited to the range from 0 to 1. */
    HARD_SIGMOID("HardSigmoid", 0.2f, 0.5f),
    /** {@code x} if {@code x ≥ 0}, else {@code α·(e^x - 1)}. */
    ELU("Elu", 1),
    /** {@code x / (1 + |x|)}. */
    SOFTSIGN("Softsign"),
    /** {@code ln(1 + e^x)}. */
    SOFTPLUS("Softplus");

    private final String onnxName;
    private final float[] defaults;

    ActivationFunction(String onnxName, float... defaults) {
        this.onnxName = onnxName;
        this.defaults = defaults;
    }

    /** Returns the name of this function in ONNX. */
    public String onnxName() {
        return onnxName;
    }

    /** Returns whether this function has the parameter α. */
    public boolean hasAlpha() {
        return defaults.length > 0;
    }

    /** Returns whether this function has the parameter β. */
    public boolean hasBeta() {
        return defaults.length > 1;
    }

    /** Returns the default value of α; 0 if the function has no α. */
    public float defaultAlpha() {
        return hasAlpha() ? defaults[0] : 0;
    }

    /** Returns the default value of β; 0 if the function has no β. */
    public float defaultBeta() {
        return hasBeta() ? defaults[1] : 0;
    }

    /** Returns the function that ONNX calls {@code name}, ignoring case. */
    public static Optional<ActivationFunction> ofOnnxName(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        for (ActivationFunction function : values()) {
            if (function.onnxName.toLowerCase(Locale.ROOT).equals(wanted)) {
                return Optional.of(function);
            }
        }
        return Optional.empty();
    }
}

package io.github.cellfuse;

import java.util.Locale;
import java.util.Optional;

/**
 * The non-linearities that a cell may have: the eleven of the ONNX operator LSTM, whose parameters are called α and β. Each is
 * <em>defined</em> by a sequence of operations ({@code docs/design/numerics.md}), so that every exact device gives the same bits.
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
    /** {@code x} where it is at least 0, else {@code α·x}. */
    LEAKY_RELU("LeakyRelu", 0.01f),
    /** {@code x} where it is at least {@code α}, else 0. */
    THRESHOLDED_RELU("ThresholdedRelu", 1),
    /** {@code α·tanh(β·x)}. */
    SCALED_TANH("ScaledTanh", 1, 1),
    /** {@code α·x + β}, kept within 0 and 1. */
    HARD_SIGMOID("HardSigmoid", 0.2f, 0.5f),
    /** {@code x} where it is at least 0, else {@code α·(e^x - 1)}. */
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

    /** Its name in ONNX. */
    public String onnxName() {
        return onnxName;
    }

    /** Whether it has the parameter α. */
    public boolean hasAlpha() {
        return defaults.length > 0;
    }

    /** Whether it has the parameter β. */
    public boolean hasBeta() {
        return defaults.length > 1;
    }

    /** α where none is given; 0 where the function has none. */
    public float defaultAlpha() {
        return hasAlpha() ? defaults[0] : 0;
    }

    /** β where none is given; 0 where the function has none. */
    public float defaultBeta() {
        return hasBeta() ? defaults[1] : 0;
    }

    /** The function that ONNX calls {@code name}, whatever the case of its letters. */
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

package io.github.cellfuse.format.keras;

import io.github.cellfuse.format.file.Problems;
import java.util.List;
import java.util.Set;

/**
 * A layer as the model's configuration has it.
 *
 * @param name its name in the model
 * @param kind its class, with the package where it isn't Keras' own
 * @param config its settings
 * @param sources what it reads
 * @param calls how often the model uses it
 */
record KerasLayer(String name, String kind, Config config, List<Source> sources, int calls) {
    /** Layers that pass their input through during inference. Masking also marks steps; see {@link LayerStack}. */
    private static final Set<String> PASSING = Set.of(
            "InputLayer",
            "Masking",
            "Dropout",
            "SpatialDropout1D",
            "GaussianNoise",
            "GaussianDropout",
            "AlphaDropout",
            "ActivityRegularization",
            "Identity");

    /**
     * An output of another layer.
     *
     * @param layer its name
     * @param output which of its outputs; a layer that returns states has several
     */
    record Source(String layer, int output) {}

    /** Returns whether it is {@code LSTM}, or {@code Bidirectional} around one. */
    boolean isLstm() {
        return kind.equals("LSTM") || isBidirectional();
    }

    /** Returns whether it is {@code Bidirectional(LSTM)}. */
    boolean isBidirectional() {
        return kind.equals("Bidirectional(LSTM)");
    }

    boolean isMasking() {
        return kind.equals("Masking");
    }

    boolean isInput() {
        return kind.equals("InputLayer");
    }

    /** Returns whether its output is its input. */
    boolean isPassing() {
        return PASSING.contains(kind);
    }

    /** {@code Dense 'head'}. */
    String describe() {
        return kind + " " + Problems.quote(name);
    }
}

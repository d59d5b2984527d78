package io.github.cellfuse.format.keras;

import io.github.cellfuse.format.file.Problems;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

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
    private static final int MOST_NAMES = 8;

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

    /** Classes that compute an LSTM; the second one was for GPUs only. */
    private static final Set<String> LSTMS = Set.of("LSTM", "CuDNNLSTM");

    /** Returns whether {@code kind} is a class that computes an LSTM. */
    static boolean isLstm(String kind) {
        return LSTMS.contains(kind);
    }

    /** Returns whether it is {@code LSTM}, or {@code Bidirectional} around one. */
    boolean isLstm() {
        return isLstm(kind) || isBidirectional();
    }

    /** Returns whether it is {@code Bidirectional(LSTM)}. */
    boolean isBidirectional() {
        return LSTMS.stream().anyMatch(lstm -> kind.equals("Bidirectional(" + lstm + ")"));
    }

    /** Returns whether it is something else that has to be computed. */
    boolean isOther() {
        return !isLstm() && !isPassing();
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

    /** {@code Embedding 'embedding', Dense 'head'}; the first few of many. */
    static String describe(List<KerasLayer> layers) {
        String few = layers.stream().limit(MOST_NAMES).map(KerasLayer::describe).collect(Collectors.joining(", "));
        return layers.size() > MOST_NAMES ? few + " and " + (layers.size() - MOST_NAMES) + " more" : few;
    }

    /** {@code Dense 'head'}. */
    String describe() {
        return kind + " " + Problems.quote(name);
    }
}

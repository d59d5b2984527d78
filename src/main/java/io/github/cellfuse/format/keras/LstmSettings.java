package io.github.cellfuse.format.keras;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.format.file.Problems;
import java.util.List;
import java.util.Optional;

/**
 * The inference settings of one LSTM, which is one direction of a layer.
 *
 * @param units {@code H}
 * @param hasBias whether there is a bias
 * @param equations its functions
 * @param isBackwards whether it reads from the end (and gives its outputs in that order)
 * @param isSequence whether it gives all steps' outputs; else the last one's
 * @param isTimeMajor whether its input's steps come before its rows
 */
record LstmSettings(
        int units,
        boolean hasBias,
        CellEquations equations,
        boolean isBackwards,
        boolean isSequence,
        boolean isTimeMajor) {

    /** Returns the settings of a layer: one, or two for a {@code Bidirectional}, the forward one first. */
    static List<LstmSettings> of(KerasLayer layer, int generation) {
        if (!layer.isBidirectional()) {
            return List.of(of(layer.config(), layer.kind(), generation));
        }
        Config config = layer.config();
        Optional<String> merge = config.optionalString("merge_mode");
        if (!merge.equals(Optional.of("concat"))) {
            throw config.invalid("merge_mode: expected 'concat', found "
                    + merge.map(Problems::quote).orElse("none") + "; " + LayerStack.EXPORT);
        }
        LstmSettings forward = of(inner(config, "layer"), config.object("layer").string("class_name"), generation);
        if (forward.isBackwards()) {
            throw config.invalid(
                    "expected a forward layer in Bidirectional, found one with go_backwards; " + LayerStack.EXPORT);
        }
        if (!config.has("backward_layer")) {
            return List.of(forward, forward.backwards());
        }
        Config given = config.object("backward_layer");
        if (!KerasLayer.isLstm(given.string("class_name"))) {
            throw config.invalid("backward_layer: expected an LSTM, found " + Problems.quote(given.string("class_name"))
                    + "; " + LayerStack.EXPORT);
        }
        LstmSettings backward = of(inner(config, "backward_layer"), given.string("class_name"), generation);
        if (!backward.isBackwards() || backward.isSequence() != forward.isSequence()) {
            throw config.invalid("backward_layer: expected go_backwards and the layer's own return_sequences, found "
                    + "go_backwards " + backward.isBackwards() + ", return_sequences " + backward.isSequence());
        }
        if (backward.units() != forward.units()) {
            throw config.invalid("backward_layer, units: expected " + forward.units()
                    + " as in the forward layer, found " + backward.units() + "; " + LayerStack.EXPORT);
        }
        return List.of(forward, backward);
    }

    private static Config inner(Config config, String key) {
        return config.object(key).object("config").named(config.what() + ", " + key);
    }

    private static LstmSettings of(Config config, String kind, int generation) {
        // HDF5 has no bfloat16: its values are stored as opaque bytes, whose untagged type the library can't read.
        if (dtype(config).equals("bfloat16")) {
            throw config.invalid(
                    "dtype: expected float16, float32, float64 or a mixed policy, found bfloat16; save the model again"
                            + " with another");
        }
        // cuDNN knows these functions only.
        boolean isCudnn = kind.equals("CuDNNLSTM");
        var activation = isCudnn ? Activation.TANH : KerasActivation.of(config, "activation", generation);
        var gate = isCudnn ? Activation.SIGMOID : KerasActivation.of(config, "recurrent_activation", generation);
        return new LstmSettings(
                config.positive("units"),
                config.flag("use_bias", true),
                new CellEquations(gate, activation, activation, CellEquations.NO_CLIP, false),
                config.flag("go_backwards", false),
                config.flag("return_sequences", false),
                config.flag("time_major", false));
    }

    /** Returns the type of the variables: a policy has their dtype as its name, or says that they are float32. */
    private static String dtype(Config config) {
        boolean isPolicy = config.has("dtype") && config.json().get("dtype").isJsonObject();
        return isPolicy
                ? config.object("dtype").object("config").optionalString("name").orElse("")
                : config.optionalString("dtype").orElse("");
    }

    private LstmSettings backwards() {
        return new LstmSettings(units, hasBias, equations, true, isSequence, isTimeMajor);
    }

    /** Arrays of weights: kernel, recurrent kernel, bias. */
    int arrays() {
        return hasBias ? 3 : 2;
    }
}

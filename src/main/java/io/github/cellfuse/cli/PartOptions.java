package io.github.cellfuse.cli;

import io.github.cellfuse.format.ModelPart;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that select one LSTM of a file; a mixin. */
public final class PartOptions {
    @Option(
            names = "--prefix",
            paramLabel = "P",
            description =
                    "Prefix of the model's tensor names, such as encoder.rnn: the text before weight_ih_l0. Only needed"
                            + " if a .safetensors file holds several LSTMs.")
    private String prefix;

    @Option(
            names = "--layers",
            paramLabel = "NAME",
            split = ",",
            description = "The LSTM and Bidirectional(LSTM) layers of a Keras model to read, from the input up. Only"
                    + " needed if other layers come between them.")
    private List<String> layers;

    /** Returns the option that was given, if any. */
    public Optional<String> given() {
        return prefix != null ? Optional.of("--prefix") : layers != null ? Optional.of("--layers") : Optional.empty();
    }

    /** Returns the part that the options select. */
    public ModelPart part() {
        return new ModelPart(Optional.ofNullable(prefix), Optional.ofNullable(layers));
    }
}

package io.github.cellfuse.cli.info;

import io.github.cellfuse.cli.ModelFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which LSTM of a file is meant; a mixin. */
public final class ModelPart {
    @Option(
            names = "--prefix",
            paramLabel = "P",
            description =
                    "What stands before weight_ih_l0 in the model's tensor names, such as encoder.rnn; needed only where"
                            + " a .safetensors file holds several LSTMs.")
    private String prefix;

    @Option(
            names = "--layers",
            paramLabel = "NAME",
            split = ",",
            description =
                    "The LSTM and Bidirectional(LSTM) layers of a Keras model to read, the lowest first; needed only"
                            + " where it has other layers, too.")
    private List<String> layers;

    /** The option that was given, if one was. */
    public Optional<String> given() {
        return prefix != null ? Optional.of("--prefix") : layers != null ? Optional.of("--layers") : Optional.empty();
    }

    /** Reads the model of {@code path}. */
    public ModelFile read(Path path) {
        return ModelFile.read(path, Optional.ofNullable(prefix), Optional.ofNullable(layers));
    }
}

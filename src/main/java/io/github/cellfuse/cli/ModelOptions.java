package io.github.cellfuse.cli;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.PyTorchLstm;
import io.github.cellfuse.format.SafetensorsFile;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The model of a command, its first positional parameter; a mixin. */
final class ModelOptions {
    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A .safetensors file with a torch.nn.LSTM's tensors (weight_ih_l0, ...).")
    private Path path;

    @Option(
            names = "--prefix",
            paramLabel = "P",
            description =
                    "What stands before weight_ih_l0 in the model's tensor names, such as encoder.rnn; needed only where"
                            + " a file holds several LSTMs.")
    private String prefix;

    /** The model's file. */
    Path path() {
        return path;
    }

    /** What to tell LSTMs apart by. */
    Optional<String> prefix() {
        return Optional.ofNullable(prefix);
    }

    /** Opens the file, which the caller closes. */
    SafetensorsFile open() {
        return SafetensorsFile.open(path);
    }

    /** Reads the model. */
    LstmModel load() {
        return PyTorchLstm.load(path, prefix());
    }
}

package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.ModelFile;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.ModelFormat;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;

/** The model of a command, its first positional parameter; a mixin. */
public final class ModelOptions {
    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A .safetensors file with the tensors of a torch.nn.LSTM (weight_ih_l0, ...) or LSTMCell, a"
                    + " Keras model (.keras, .h5), or an .onnx file; several .safetensors files by their .index.json."
                    + " run, info, verify and trace accept any ONNX graph; other commands need one that consists of"
                    + " LSTMs only.")
    private Path path;

    @Mixin
    private PartOptions part;

    /** Returns the model's file. */
    public Path path() {
        return path;
    }

    /** Returns whether the model is an ONNX graph, which runs as a whole. */
    public boolean isOnnx() {
        return ModelFormat.of(path) == ModelFormat.ONNX;
    }

    /** Rejects options that don't apply to this kind of model. */
    public void refuse(CommandSpec spec, String applicable, String... names) {
        for (String name : names) {
            if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
                throw new InvalidInputException(name + " applies to " + applicable + " only, not to " + path);
            }
        }
    }

    /** Reads the model. */
    public LstmModel load() {
        return read().model();
    }

    /** Reads the model with everything else that is known of its file. */
    public ModelFile read() {
        return ModelFiles.inspect(path, part.part());
    }
}

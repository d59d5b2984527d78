package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.info.ModelPart;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;

/** The model of a command, its first positional parameter; a mixin. */
public final class ModelOptions {
    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description =
                    "A .safetensors file with a torch.nn.LSTM's tensors (weight_ih_l0, ...), a model that Keras saved (.keras,"
                            + " .h5), or an .onnx file: with nothing but LSTMs, or for run and info with any graph.")
    private Path path;

    @Mixin
    private ModelPart part;

    /** The model's file. */
    public Path path() {
        return path;
    }

    /** Whether it is an ONNX graph, which runs as a whole. */
    public boolean isOnnx() {
        return ModelFormat.of(path) == ModelFormat.ONNX;
    }

    /** Refuses options that mean nothing for this kind of model. */
    public void refuse(CommandSpec spec, String whose, String... names) {
        for (String name : names) {
            if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
                throw new InvalidInputException(name + ": expected no option " + whose + ", found it for " + path);
            }
        }
    }

    /** Reads the model. */
    public LstmModel load() {
        return read().model();
    }

    /** Reads the model with what there is to know of its file. */
    public ModelFile read() {
        return part.read(path);
    }
}

package io.github.cellfuse.cli.convert;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.format.ModelFile;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.ModelFormat;
import io.github.cellfuse.format.ModelPart;
import io.github.cellfuse.format.file.Problems;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cellfuse convert}: converts an LSTM to another format. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Convert a model's LSTM to another format.",
        description = {
            "",
            "The converted model computes the same bits. A model that the output format can't express is an error; the"
                    + " message names a format that can.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse convert model.keras -o model.onnx",
            "  cellfuse convert tagger.h5 --layers lstm,bidirectional -o lstm.safetensors --output-prefix lstm"
        })
public final class ConvertCommand implements Runnable {
    private static final List<String> SUFFIXES = List.of(ModelFormat.SAFETENSORS.suffix(), ModelFormat.ONNX.suffix());

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            required = true,
            description =
                    "OUT.safetensors holds the tensors of a torch.nn.LSTM. OUT.onnx holds a graph of LSTM operators"
                            + " with the input x and the outputs y, h_n and c_n. Weights are float32. The file"
                            + " appears when it is complete.")
    private Path output;

    @Option(names = "--overwrite", description = "Replace OUT if it exists.")
    private boolean overwrite;

    @Option(
            names = "--output-prefix",
            paramLabel = "P",
            description = "Prefix of the tensor names in OUT.safetensors, such as lstm; a dot is added. Default: none.")
    private String outputPrefix;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print only errors.")
    private boolean quiet;

    ConvertCommand() {}

    @Override
    public void run() {
        OutputFile.check(output, overwrite, SUFFIXES, model.path());
        if (outputPrefix != null && ModelFormat.ONNX.matches(output)) {
            throw new InvalidInputException("--output-prefix applies to .safetensors files only, not to " + output);
        }
        ModelFile file = model.read();
        LstmModel lstm = file.model();
        ModelPart part = new ModelPart(Optional.ofNullable(outputPrefix), Optional.empty());
        ModelFiles.write(lstm, output, part, overwrite);
        file.remarks().forEach(this::say);
        say("wrote " + output + ": " + Numbers.count(lstm.layerCount(), "layer") + ", "
                + Numbers.count(lstm.parameters(), "parameter"));
    }

    private void say(String message) {
        if (!quiet) {
            spec.commandLine().getErr().println("cellfuse: " + Problems.oneLine(message));
        }
    }
}

package io.github.cellfuse.cli.convert;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.ModelFile;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.onnx.OnnxLstm;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cellfuse convert}: an LSTM from one format into another. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Write a model's LSTM in another format.",
        description = {
            "",
            "The result computes the same bits. A model that the other format can't express is refused, and the one line"
                    + " that says so names the format that can.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse convert model.keras -o model.onnx",
            "  cellfuse convert tagger.h5 --layers lstm,bidirectional -o lstm.safetensors --output-prefix lstm"
        })
public final class ConvertCommand implements Runnable {
    private static final String ONNX = ".onnx";

    private static final List<String> SUFFIXES = List.of(".safetensors", ONNX);

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            required = true,
            description =
                    "OUT.safetensors: torch.nn.LSTM's tensors; OUT.onnx: a graph of the operator LSTM, from x to y, h_n and"
                            + " c_n. In float32; appears whole.")
    private Path output;

    @Option(names = "--overwrite", description = "Replace OUT if it exists.")
    private boolean overwrite;

    @Option(
            names = "--output-prefix",
            paramLabel = "P",
            description =
                    "What to put before the names in OUT.safetensors, such as lstm (a dot follows it). Default: nothing.")
    private String outputPrefix;

    @Option(
            names = {"-q", "--quiet"},
            description = "Say nothing but warnings and errors.")
    private boolean quiet;

    ConvertCommand() {}

    @Override
    public void run() {
        OutputFile.check(output, overwrite, SUFFIXES, model.path());
        boolean isOnnx = output.toString().toLowerCase(Locale.ROOT).endsWith(ONNX);
        if (isOnnx && outputPrefix != null) {
            throw new InvalidInputException(
                    "--output-prefix: expected with an output in .safetensors, found with " + output);
        }
        ModelFile file = model.read();
        LstmModel lstm = file.model();
        if (isOnnx) {
            OnnxLstm.save(lstm, output, overwrite);
        } else {
            PyTorchLstm.save(lstm, output, overwrite, prefix());
        }
        file.remarks().forEach(this::say);
        say("wrote " + output + ": " + Numbers.count(lstm.layerCount(), "layer") + ", "
                + Numbers.count(lstm.parameters(), "parameter"));
    }

    private String prefix() {
        boolean isPlain = outputPrefix == null || outputPrefix.isEmpty() || outputPrefix.endsWith(".");
        return isPlain ? Objects.requireNonNullElse(outputPrefix, "") : outputPrefix + ".";
    }

    private void say(String message) {
        if (!quiet) {
            spec.commandLine().getErr().println("cellfuse: " + message);
        }
    }
}

package io.github.cellfuse.cli;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.PyTorchLstm;
import java.nio.file.Path;
import java.util.List;
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
            "  cellfuse convert model.keras -o model.safetensors",
            "  cellfuse convert tagger.h5 --layers lstm,bidirectional -o lstm.safetensors --output-prefix lstm.",
        })
final class ConvertCommand implements Runnable {
    private static final List<String> SUFFIXES = List.of(".safetensors");

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            required = true,
            description = "OUT.safetensors: torch.nn.LSTM's tensors, in float32. Appears whole.")
    private Path output;

    @Option(names = "--overwrite", description = "Replace OUT if it exists.")
    private boolean overwrite;

    @Option(
            names = "--output-prefix",
            paramLabel = "P",
            defaultValue = "",
            description =
                    "What to put before the names in OUT.safetensors, such as lstm. (with the dot). Default: nothing.")
    private String outputPrefix = "";

    @Option(
            names = {"-q", "--quiet"},
            description = "Say nothing but warnings and errors.")
    private boolean quiet;

    ConvertCommand() {}

    @Override
    public void run() {
        OutputFile.check(output, overwrite, SUFFIXES, model.path());
        ModelFile file = model.read();
        LstmModel lstm = file.model();
        PyTorchLstm.save(lstm, output, overwrite, outputPrefix);
        file.remarks().forEach(this::say);
        say("wrote " + output + ": " + Numbers.count(lstm.layerCount(), "layer") + ", "
                + Numbers.count(lstm.parameters(), "parameter"));
    }

    private void say(String message) {
        if (!quiet) {
            spec.commandLine().getErr().println("cellfuse: " + message);
        }
    }
}

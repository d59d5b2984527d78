package io.github.cellfuse.cli.verify;

import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.graph.GraphInputOptions;
import io.github.cellfuse.cli.graph.RecordedPart;
import io.github.cellfuse.cli.graph.SetOption;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The LSTMs of a whole ONNX graph, with the batches that they get in it; a mixin. */
final class GraphParts {
    /** The options that only a graph has. */
    private static final String[] NAMES = {"--input", "--set", "--frames", "--state", "--output-name", "--part"};

    @Mixin
    private GraphInputOptions inputs = new GraphInputOptions();

    @Mixin
    private SetOption settings = new SetOption();

    @Option(names = "--part", paramLabel = "K", description = "Verify only part K of an .onnx graph, counted from 0.")
    private Integer part;

    GraphParts() {}

    /** Returns whether an option was given that only a graph has. */
    boolean isGiven(CommandSpec spec) {
        for (String name : NAMES) {
            if (spec.commandLine().getParseResult().hasMatchedOption(name)) {
                return true;
            }
        }
        return false;
    }

    /** Rejects the options of graphs for another model. */
    void refuse(ModelOptions model, CommandSpec spec) {
        model.refuse(spec, ".onnx models", NAMES);
    }

    /**
     * Runs the graph on the {@code java} device and returns a case for each of its LSTMs.
     *
     * @param only the file that was given without the name of an input, or null
     * @param lengths the file with the number of frames of each stream, or null
     */
    List<VerifyCase> cases(ModelOptions model, InputFile only, InputFile lengths) {
        List<String> file = only == null ? List.of() : List.of(only.toString());
        return RecordedPart.of(model.path(), settings, inputs, only, lengths, part, false).stream()
                .map(found -> {
                    List<String> repeat = new ArrayList<>(file);
                    repeat.addAll(List.of("--part", Integer.toString(found.number())));
                    return new VerifyCase(found.name(), found.model(), found.batch(), repeat);
                })
                .toList();
    }
}

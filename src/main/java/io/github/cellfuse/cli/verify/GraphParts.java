package io.github.cellfuse.cli.verify;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.graph.GraphInputOptions;
import io.github.cellfuse.cli.graph.GraphOpener;
import io.github.cellfuse.cli.graph.OnnxOptions;
import io.github.cellfuse.cli.graph.OnnxRun;
import io.github.cellfuse.cli.graph.SetOption;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
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
        OnnxOptions options = new OnnxOptions(inputs);
        OnnxModel graph = GraphOpener.open(model.path(), settings, options);
        List<RecordedLstm> recorded = new ArrayList<>();
        List<LstmPart> parts;
        try (OnnxRun run = new OnnxRun(graph, options, only, null, lengths, null)) {
            parts = run.runOn(lstm -> {
                RecordedLstm engine = new RecordedLstm(lstm);
                recorded.add(engine);
                return engine;
            });
        }
        List<String> file = only == null ? List.of() : List.of(only.toString());
        List<VerifyCase> cases = new ArrayList<>();
        for (int k = 0; k < recorded.size(); k++) {
            int number = k;
            String label = parts.size() == recorded.size()
                    ? " (" + String.join(", ", parts.get(k).nodes()) + ")"
                    : "";
            List<String> repeat = new ArrayList<>(file);
            repeat.addAll(List.of("--part", Integer.toString(k)));
            RecordedLstm engine = recorded.get(k);
            if (part == null || part == k) {
                engine.batch().ifPresent(batch -> cases.add(of("part " + number + label, engine, batch, repeat)));
            }
        }
        if (cases.isEmpty()) {
            throw new InvalidInputException(
                    part == null
                            ? model.path() + ": expected a graph with LSTMs that run on the device, found none"
                            : "--part: expected 0 to " + (recorded.size() - 1) + ", found " + part);
        }
        return cases;
    }

    private static VerifyCase of(String name, RecordedLstm engine, LstmInput batch, List<String> repeat) {
        return new VerifyCase(name, engine.model(), batch, repeat);
    }
}

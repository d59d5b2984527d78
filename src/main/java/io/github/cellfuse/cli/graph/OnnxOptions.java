package io.github.cellfuse.cli.graph;

import io.github.cellfuse.cli.InputFile;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code run} that apply to whole graphs; a mixin. All but the names of outputs apply to them only. */
public final class OnnxOptions {
    @Mixin
    private GraphInputOptions graph = new GraphInputOptions();

    @Option(
            names = "--rows",
            paramLabel = "NAME=AXIS[,...]",
            description =
                    "Axes of an .onnx model's inputs and outputs that hold rows which don't depend on each other, so"
                            + " that they can be computed in pieces. By default they are found, if the graph proves"
                            + " it.")
    private List<String> rows = List.of();

    public OnnxOptions() {}

    /** Options that don't say which axes hold rows. */
    public OnnxOptions(GraphInputOptions graph) {
        this.graph = graph;
    }

    /** Returns the files by input. */
    public Map<String, InputFile> inputs() {
        return graph.inputs();
    }

    /** Returns the frames by input. Frames without a name have an empty one. */
    Map<String, Frames> frames() {
        return graph.frames();
    }

    /** Returns, for each input that is a state, the output that it gets in the next call. */
    Map<String, String> states() {
        return graph.states();
    }

    /** Returns the axes that hold the rows by the user's word; none if they are to be found. */
    Map<String, Integer> rows() {
        return GivenRows.parse(rows);
    }

    /** Returns the outputs to write; empty if none was named. */
    public List<String> outputNames() {
        return graph.outputNames();
    }

    /** Returns the outputs that a run needs: those to write and the states; empty if that is all outputs. */
    Set<String> neededOutputs() {
        return graph.neededOutputs();
    }
}

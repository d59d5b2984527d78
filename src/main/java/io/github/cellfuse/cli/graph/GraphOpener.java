package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Opens a graph as the options of a command ask for it. Reports unknown names with the option that has them. */
public final class GraphOpener {
    private final OnnxFile file;
    private final List<String> inputs;
    private final List<String> outputs;

    private GraphOpener(Path path) {
        file = OnnxFile.open(path);
        inputs = names(Stream.concat(file.inputs().stream(), file.defaults().stream()));
        outputs = names(file.graph().getOutputList().stream());
    }

    private static List<String> names(Stream<ValueInfoProto> values) {
        return values.map(ValueInfoProto::getName).toList();
    }

    /** Opens a graph to describe it. */
    public static OnnxModel open(Path path, SetOption settings, OutputNameOption outputs) {
        return new GraphOpener(path).open(settings, outputs.names(), Set.of());
    }

    /** Opens a graph to run it. Inputs with a file, and states, are supplied, even if they have a default. */
    public static OnnxModel open(Path path, SetOption settings, OnnxOptions options) {
        GraphOpener opener = new GraphOpener(path);
        opener.checkInputs("--input", options.inputs().keySet());
        opener.checkInputs("--state", options.states().keySet());
        opener.checkInputs(
                "--frames",
                options.frames().keySet().stream()
                        .filter(name -> !name.isEmpty())
                        .toList());
        List<String> all =
                Stream.concat(opener.inputs.stream(), opener.outputs.stream()).toList();
        opener.check("--rows", "input or output", options.rows().keySet(), all);
        opener.check("--state", "output", options.states().values(), opener.outputs);
        opener.check("--output-name", "output", options.outputNames(), opener.outputs);
        Set<String> supplied = new LinkedHashSet<>(options.inputs().keySet());
        supplied.addAll(options.states().keySet());
        for (String name : supplied) {
            if (settings.bindings().containsKey(name)) {
                String option = options.inputs().containsKey(name) ? "--input" : "--state";
                throw new InvalidInputException(
                        option + " " + name + ": expected an input that isn't bound, found one that --set binds");
            }
        }
        return opener.open(settings, options.neededOutputs(), supplied);
    }

    private OnnxModel open(SetOption settings, Collection<String> wanted, Set<String> supplied) {
        checkInputs("--set", settings.bindings().keySet());
        check("--output-name", "output", wanted, outputs);
        return OnnxModel.of(
                file,
                GraphOptions.DEFAULT
                        .withBindings(settings.bindings())
                        .withOutputs(wanted)
                        .withSupplied(supplied));
    }

    private void checkInputs(String option, Collection<String> names) {
        check(option, "input", names, inputs);
    }

    private void check(String option, String what, Collection<String> names, List<String> valid) {
        for (String name : names) {
            if (!valid.contains(name)) {
                throw new InvalidInputException(option + ": expected an " + what + " of " + file.path() + ", one of "
                        + (valid.isEmpty() ? "none" : String.join(", ", valid)) + ", found '" + name + "'");
            }
        }
    }
}

package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The outputs that a run computes.
 *
 * @param written the outputs to write
 * @param all these, and those that are only passed on as states
 * @param isArchive whether the file is an archive, which holds several arrays
 */
record WantedOutputs(List<GraphValue> written, List<GraphValue> all, boolean isArchive) {

    /**
     * Finds the outputs to write: the named ones, or all. Without names, a file with one array gets the only output
     * that isn't a state.
     */
    static WantedOutputs of(OnnxModel model, OnnxOptions options, Path target) {
        boolean isArchive = target.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
        List<GraphValue> named = options.outputNames().stream()
                .distinct()
                .flatMap(name ->
                        model.outputs().stream().filter(output -> output.name().equals(name)))
                .toList();
        List<GraphValue> written = named.isEmpty() ? model.outputs() : named;
        if (isArchive) {
            checkEntries(written, target);
        } else {
            written = named.isEmpty()
                    ? written.stream()
                            .filter(output -> !options.states().containsValue(output.name()))
                            .toList()
                    : written;
            checkOne(written, target);
        }
        List<GraphValue> all = new ArrayList<>(written);
        for (GraphValue output : model.outputs()) {
            if (options.states().containsValue(output.name()) && !written.contains(output)) {
                all.add(output);
            }
        }
        return new WantedOutputs(written, all, isArchive);
    }

    /** Returns that nothing is written. */
    static WantedOutputs none(OnnxModel model) {
        return new WantedOutputs(List.of(), model.outputs(), true);
    }

    private static void checkOne(List<GraphValue> values, Path target) {
        if (values.size() != 1) {
            throw new InvalidInputException(
                    target + ": expected a name that ends in .npz, or one --output-name, because the model has "
                            + Numbers.count(values.size(), "output") + ": " + GraphInputs.names(values));
        }
    }

    private static void checkEntries(List<GraphValue> values, Path target) {
        Set<String> entries = new HashSet<>();
        for (GraphValue value : values) {
            if (!entries.add(GraphFile.entry(value.name()))) {
                throw new InvalidInputException(target + ": two outputs would be called "
                        + GraphFile.entry(value.name()) + " in the archive; choose one with --output-name");
            }
        }
    }
}

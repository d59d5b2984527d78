package io.github.cellfuse.cli.info;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Describes how a layer's cell differs from the ordinary LSTM, such as {@code gates HardSigmoid(0.2, 0.5), peepholes}.
 */
final class Equations {
    /** The description of a layer without differences. */
    static final String ORDINARY = "ordinary";

    private Equations() {}

    /** Returns the differences of a layer, or {@code ordinary}; those of each direction where the directions differ. */
    static String describe(LstmLayer layer) {
        return distinct(layer)
                .map(deviations -> deviations.isEmpty() ? ORDINARY : String.join(", ", deviations))
                .collect(Collectors.joining(" and "));
    }

    /**
     * Returns the differences of a layer one by one. Where the directions differ, the second one's are marked
     * "reverse".
     */
    static List<String> deviations(LstmLayer layer) {
        List<List<String>> directions = distinct(layer).toList();
        List<String> all = new ArrayList<>(directions.get(0));
        directions.stream().skip(1).flatMap(List::stream).forEach(each -> all.add("reverse " + each));
        return all;
    }

    private static Stream<List<String>> distinct(LstmLayer layer) {
        return layer.weights().stream().map(Equations::deviations).distinct();
    }

    private static List<String> deviations(LstmWeights weights) {
        CellEquations equations = weights.equations();
        List<String> deviations = new ArrayList<>();
        if (!equations.gate().equals(Activation.SIGMOID)) {
            deviations.add("gates " + equations.gate());
        }
        if (!equations.candidate().equals(Activation.TANH)) {
            deviations.add("candidate " + equations.candidate());
        }
        if (!equations.hidden().equals(Activation.TANH)) {
            deviations.add("hidden " + equations.hidden());
        }
        if (equations.clips()) {
            deviations.add("clip " + equations.clip());
        }
        if (equations.coupled()) {
            deviations.add("coupled gates");
        }
        if (weights.hasPeepholes()) {
            deviations.add("peepholes");
        }
        return deviations;
    }
}

package io.github.cellfuse.format.keras;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.jhdf.api.Group;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The layout within {@code .keras} archives: a group for each layer by its class and number ({@code layers/lstm},
 * {@code layers/lstm_1}, ...), and in it the cell's variables by number ({@code cell/vars/0}, ...). The names of the
 * layers aren't in it, except as an attribute that late versions add.
 *
 * @param file the file
 * @param network the model
 */
record NumberedWeights(Hdf5File file, KerasNetwork network) implements WeightStore {
    /** Keras 2.12 and 2.13 use another name for the group of the layers. */
    private static final List<String> CONTAINERS = List.of("layers", "_layer_checkpoint_dependencies");

    private static final List<String> DIRECTIONS = List.of("forward_layer/", "backward_layer/");

    @Override
    public List<Arrays> arrays(KerasLayer layer, List<LstmSettings> settings) {
        if (layer.kind().contains("CuDNN")) {
            throw invalid(layer, "expected LSTM in a .keras file, found " + layer.kind() + "; save it as .h5");
        }
        Group group = group(layer);
        List<Arrays> arrays = new ArrayList<>();
        for (int d = 0; d < settings.size(); d++) {
            String path = (layer.isBidirectional() ? DIRECTIONS.get(d) : "") + "cell/vars";
            Group variables = file.group(group, path)
                    .orElseThrow(() -> invalid(layer, "expected its variables at " + path + ", found none"));
            int expected = settings.get(d).arrays(),
                    found = file.names(variables).size();
            if (found != expected) {
                throw invalid(
                        layer,
                        path + ": expected " + expected + " variables (kernel, recurrent_kernel"
                                + (expected == 3 ? ", bias" : "") + "), found " + found);
            }
            arrays.add(new Arrays(
                    variables,
                    IntStream.range(0, expected).mapToObj(Integer::toString).toList()));
        }
        return arrays;
    }

    private Group group(KerasLayer layer) {
        Group container = CONTAINERS.stream()
                .map(name -> file.group(file.root(), name))
                .flatMap(Optional::stream)
                .findFirst()
                .orElseThrow(() -> Problems.invalid(
                        file.label(), "expected a group 'layers', found " + Problems.some(file.names(file.root()))));
        String kind = layer.isBidirectional() ? "bidirectional" : "lstm";
        List<String> groups = numbered(file.names(container), kind);
        List<KerasLayer> alike = network.layers().values().stream()
                .filter(other -> other.kind().equals("LSTM") && kind.equals("lstm")
                        || other.kind().startsWith("Bidirectional") && kind.equals("bidirectional"))
                .toList();
        // Keras 2.12 and 2.13 count each layer twice, so that only the order of the numbers tells, and only when all
        // are there.
        if (groups.size() != alike.size()) {
            throw invalid(
                    layer,
                    "expected " + alike.size() + " groups called " + kind + ", " + kind + "_1, ..., found "
                            + Problems.some(groups));
        }
        String path = groups.get(alike.indexOf(layer));
        Group group = file.group(container, path).orElseThrow();
        Optional<String> name = file.group(group, "vars").flatMap(own -> file.text(own, "name"));
        if (name.isPresent() && !name.get().equals(layer.name())) {
            throw invalid(
                    layer,
                    "expected its weights in the group " + path + ", found there those of "
                            + Problems.quote(name.get()));
        }
        return group;
    }

    /** {@code kind}, {@code kind_1}, ... in the order of the numbers. */
    private static List<String> numbered(Iterable<String> names, String kind) {
        record Numbered(String name, int number) {}
        Pattern pattern = Pattern.compile(Pattern.quote(kind) + "(?:_([1-9][0-9]{0,8}))?");
        List<Numbered> found = new ArrayList<>();
        for (String name : names) {
            Matcher matcher = pattern.matcher(name);
            if (matcher.matches()) {
                found.add(new Numbered(name, matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1))));
            }
        }
        return found.stream()
                .sorted(Comparator.comparingInt(Numbered::number))
                .map(Numbered::name)
                .toList();
    }

    private InvalidInputException invalid(KerasLayer layer, String what) {
        return Problems.invalid(file.label(), "layer " + Problems.quote(layer.name()) + ": " + what);
    }
}

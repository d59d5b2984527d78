package io.github.cellfuse.format.keras;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.jhdf.api.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The layout of {@code .h5} files: a group for each layer, under its name, whose attribute {@code weight_names} lists
 * the arrays in the order in which the layer has them ({@code lstm/lstm_cell/kernel:0}).
 *
 * @param file the file
 * @param weights the group of the layers' groups
 */
record NamedWeights(Hdf5File file, Group weights) implements WeightStore {
    private static final String NAMES = "weight_names";

    /** Longer lists of names are split into several attributes; no file has more of these. */
    private static final int MOST_PARTS = 10_000;

    /** The last part of the names, in the order of the arrays; {@code :0} is TensorFlow's. */
    private static final List<Pattern> ENDINGS = List.of(
            Pattern.compile("(.*/)?kernel(_\\d+)?(:0)?"),
            Pattern.compile("(.*/)?recurrent_kernel(_\\d+)?(:0)?"),
            Pattern.compile("(.*/)?bias(_\\d+)?(:0)?"));

    @Override
    public List<Arrays> arrays(KerasLayer layer, List<LstmSettings> settings) {
        Group group = file.group(weights, layer.name())
                .orElseThrow(() -> invalid(layer, "expected a group of its weights in the file, found none"));
        List<String> names = names(group);
        int expected = settings.stream().mapToInt(LstmSettings::arrays).sum();
        if (names.size() != expected) {
            throw invalid(
                    layer,
                    "expected " + expected + " arrays (" + (settings.size() == 2 ? "twice " : "")
                            + "kernel, recurrent_kernel" + (settings.get(0).hasBias() ? ", bias" : "") + "), found "
                            + names.size() + ": "
                            + Problems.some(names));
        }
        List<Arrays> arrays = new ArrayList<>();
        int next = 0;
        for (LstmSettings one : settings) {
            List<String> own = names.subList(next, next += one.arrays());
            for (int k = 0; k < own.size(); k++) {
                if (!ENDINGS.get(k).matcher(own.get(k)).matches()) {
                    throw invalid(
                            layer,
                            "expected arrays called kernel, recurrent_kernel, bias in this order, found "
                                    + Problems.some(names));
                }
            }
            arrays.add(new Arrays(group, own));
        }
        return arrays;
    }

    private List<String> names(Group group) {
        Optional<List<String>> whole = file.texts(group, NAMES);
        if (whole.isPresent()) {
            return whole.get();
        }
        List<String> names = new ArrayList<>();
        for (int part = 0; part < MOST_PARTS; part++) {
            Optional<List<String>> some = file.texts(group, NAMES + part);
            if (some.isEmpty()) {
                break;
            }
            names.addAll(some.get());
        }
        return names;
    }

    private InvalidInputException invalid(KerasLayer layer, String what) {
        return Problems.invalid(file.label(), "layer " + Problems.quote(layer.name()) + ": " + what);
    }
}

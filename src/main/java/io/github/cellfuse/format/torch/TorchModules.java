package io.github.cellfuse.format.torch;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The recurrent modules in a file: their tensors by what comes before the names. */
final class TorchModules {
    private static final int MOST_MODULES = 6;

    private final SafetensorsFile file;
    private final Map<String, List<TorchName>> modules = new LinkedHashMap<>();

    TorchModules(SafetensorsFile file) {
        this.file = file;
        // Upper layers may lie in another shard: what is here would look like a whole LSTM.
        SafetensorsIndex.ofShard(file.path()).ifPresent(index -> {
            throw invalid("expected a whole model, found one shard of several; give their index, " + index
                    + ", in its place");
        });
        collect(TorchName::parse, modules);
        Map<String, List<TorchName>> cells = new LinkedHashMap<>();
        collect(TorchName::parseCell, cells);
        // Under the prefix of an LSTM, a cell's name is an unknown one.
        cells.forEach((prefix, names) -> {
            if (names.stream().anyMatch(name -> !name.kind().isBias())) {
                modules.putIfAbsent(prefix, names);
            }
        });
    }

    private void collect(Function<String, Optional<TorchName>> parse, Map<String, List<TorchName>> found) {
        for (String tensor : file.tensors().keySet()) {
            parse.apply(tensor)
                    .ifPresent(name -> found.computeIfAbsent(name.prefix(), p -> new ArrayList<>())
                            .add(name));
        }
    }

    /** Returns the prefixes of LSTMs, including damaged ones. */
    List<String> lstms() {
        return modules.keySet().stream().filter(this::isLstm).toList();
    }

    /** Returns the tensors of the LSTM with {@code prefix}, or of the only one. */
    List<TorchName> choose(Optional<String> prefix) {
        if (modules.isEmpty()) {
            refuseWrapped(Optional.empty());
            throw invalid("expected an LSTM's tensors, named weight_ih_l0, weight_hh_l0, ... as torch.nn.LSTM"
                    + " names them, found " + Problems.some(recurrentFirst()));
        }
        List<TorchName> chosen = prefix.isPresent() ? named(prefix.get()) : only();
        refuseWrapped(Optional.of(chosen.get(0).prefix()));
        return chosen;
    }

    private void refuseWrapped(Optional<String> prefix) {
        TorchWrapping.problem(file.tensors().keySet(), prefix).ifPresent(problem -> {
            throw invalid(problem);
        });
    }

    /** Returns the file's tensors, first those that may be of an LSTM under another name. */
    private List<String> recurrentFirst() {
        return file.tensors().keySet().stream()
                .sorted(Comparator.comparing(name -> !name.contains("weight_ih")
                        && !name.contains("weight_hh")
                        && !name.toLowerCase(Locale.ROOT).contains("lstm")
                        && !TorchName.looksRecurrent(name.substring(name.lastIndexOf('.') + 1))))
                .toList();
    }

    /** Returns the prefixes of all modules, first those of LSTMs. */
    private List<String> prefixes() {
        return modules.keySet().stream()
                .sorted(Comparator.comparing(prefix -> !isLstm(prefix)))
                .toList();
    }

    private List<TorchName> only() {
        List<String> lstms = lstms();
        if (lstms.isEmpty()) {
            throw invalid("expected an LSTM with 4H rows in its weights, found only GRUs (3H) or plain RNNs (H): "
                    + modules.keySet().stream()
                            .limit(MOST_MODULES)
                            .map(prefix -> kind(prefix) + " " + Problems.quote(prefix))
                            .collect(Collectors.joining(", ")));
        }
        if (lstms.size() > 1) {
            throw invalid("expected one LSTM, found " + lstms.size() + " with the prefixes " + Problems.some(lstms)
                    + "; choose one with --prefix");
        }
        return modules.get(lstms.get(0));
    }

    private List<TorchName> named(String prefix) {
        // With and without the dot at the end: people write both.
        String found = modules.containsKey(prefix) ? prefix : prefix + ".";
        if (!modules.containsKey(found)) {
            throw invalid("expected an LSTM with the prefix " + Problems.quote(prefix) + ", found the prefixes "
                    + Problems.some(prefixes()));
        }
        if (!isLstm(found)) {
            throw invalid("expected an LSTM with the prefix " + Problems.quote(prefix) + ", found a " + kind(found)
                    + ": its weights have " + (kind(found).startsWith("GRU") ? "3H" : "H") + " rows instead of 4H");
        }
        return modules.get(found);
    }

    /**
     * Returns whether the shapes may be an LSTM's: a damaged LSTM is not skipped, so that a message can say what is
     * wrong.
     */
    private boolean isLstm(String prefix) {
        return kind(prefix).startsWith("LSTM");
    }

    /** Returns the class of a module: {@code LSTM}, {@code GRUCell}, ... */
    private String kind(String prefix) {
        List<TorchName> names = modules.get(prefix);
        String cell = names.get(0).isCell() ? "Cell" : "";
        TorchName recurrent = names.get(0).sibling(TorchName.Kind.WEIGHT_HH, 0, false);
        SafetensorsFile.Tensor tensor = file.tensors().get(recurrent.toString());
        boolean isProjected = names.stream().anyMatch(name -> name.kind() == TorchName.Kind.WEIGHT_HR);
        if (isProjected || tensor == null || tensor.shape().length != 2) {
            return "LSTM" + cell;
        }
        long rows = tensor.shape()[0];
        long columns = tensor.shape()[1];
        return (rows == (LstmWeights.GATES - 1) * columns ? "GRU" : rows == columns ? "RNN" : "LSTM") + cell;
    }

    private InvalidInputException invalid(String what) {
        return Problems.invalid(file.path(), what);
    }
}

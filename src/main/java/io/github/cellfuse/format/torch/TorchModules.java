package io.github.cellfuse.format.torch;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The recurrent modules in a file: their tensors by what comes before the names. */
final class TorchModules {
    private final SafetensorsFile file;
    private final Map<String, List<TorchName>> modules = new LinkedHashMap<>();

    TorchModules(SafetensorsFile file) {
        this.file = file;
        // Upper layers may lie in another shard: what is here would look like a whole LSTM.
        SafetensorsIndex.ofShard(file.path()).ifPresent(index -> {
            throw invalid("expected a whole model, found one shard of several; give their index, " + index
                    + ", in its place");
        });
        for (String tensor : file.tensors().keySet()) {
            TorchName.parse(tensor)
                    .ifPresent(name -> modules.computeIfAbsent(name.prefix(), p -> new ArrayList<>())
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
            throw invalid("expected an LSTM's tensors, named weight_ih_l0, weight_hh_l0, ... as torch.nn.LSTM"
                    + " names them, found "
                    + Problems.some(file.tensors().keySet()));
        }
        return prefix.isPresent() ? named(prefix.get()) : only();
    }

    private List<TorchName> only() {
        List<String> lstms = lstms();
        if (lstms.isEmpty()) {
            throw invalid("expected an LSTM with 4H rows in its weights, found only GRUs (3H) or plain RNNs (H): "
                    + Problems.some(modules.keySet()));
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
                    + Problems.some(modules.keySet()));
        }
        if (!isLstm(found)) {
            throw invalid("expected an LSTM with the prefix " + Problems.quote(prefix)
                    + ", found a GRU or a plain RNN: its weights have 3H or H rows instead of 4H");
        }
        return modules.get(found);
    }

    /**
     * Returns whether the shapes may be an LSTM's: a damaged LSTM is not skipped, so that a message can say what is
     * wrong.
     */
    private boolean isLstm(String prefix) {
        SafetensorsFile.Tensor recurrent = file.tensors().get(prefix + "weight_hh_l0");
        boolean isProjected = modules.get(prefix).stream().anyMatch(name -> name.kind() == TorchName.Kind.WEIGHT_HR);
        if (isProjected || recurrent == null || recurrent.shape().length != 2) {
            return true;
        }
        long rows = recurrent.shape()[0];
        long columns = recurrent.shape()[1];
        return rows != (LstmWeights.GATES - 1) * columns && rows != columns;
    }

    private InvalidInputException invalid(String what) {
        return Problems.invalid(file.path(), what);
    }
}

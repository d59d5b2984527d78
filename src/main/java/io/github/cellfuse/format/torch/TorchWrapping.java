package io.github.cellfuse.format.torch;

import io.github.cellfuse.format.file.Problems;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tensors from which a wrapper around an LSTM computes its weights. What such a file has under the weights' own names,
 * if anything, isn't what the LSTM computes with.
 */
enum TorchWrapping {
    /** {@code torch.nn.utils.parametrize}, also under {@code parametrizations.weight_norm} and the like. */
    PARAMETRIZATION(
            "(?:(.*)\\.)??parametrizations\\.(NAME)\\.original[01]?",
            "torch.nn.utils.parametrize.remove_parametrizations"),
    WEIGHT_NORM("(?:(.*)\\.)??(NAME)_g", "torch.nn.utils.remove_weight_norm"),
    PRUNING("(?:(.*)\\.)??(NAME)_mask", "torch.nn.utils.prune.remove"),
    SPECTRAL_NORM("(?:(.*)\\.)??(NAME)_orig", "torch.nn.utils.remove_spectral_norm"),
    /** Dropout of weights: the raw ones count, and whoever wrapped the LSTM has no call that puts them back. */
    WEIGHT_DROPOUT("(?:(.*)\\.)??(NAME)_raw", "");

    private static final String NAME =
            "(?:weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)(?:_l[0-9]{1,4}(?:_reverse)?)?";

    private final Pattern pattern;
    private final String call;

    TorchWrapping(String pattern, String call) {
        this.pattern = Pattern.compile(pattern.replace("NAME", NAME), Pattern.DOTALL);
        this.call = call;
    }

    /**
     * Returns what is wrong and how to put it right, if a module's weights are wrapped.
     *
     * @param tensors the names in the file
     * @param prefix what comes before the names of the module's tensors, with the dot; empty for those of any module
     */
    static Optional<String> problem(Collection<String> tensors, Optional<String> prefix) {
        for (TorchWrapping wrapping : values()) {
            for (String tensor : tensors) {
                Matcher matcher = wrapping.pattern.matcher(tensor);
                if (matcher.matches()) {
                    String module = matcher.group(1) == null ? "" : matcher.group(1);
                    if (prefix.isEmpty() || around(module).contains(prefix.get())) {
                        return Optional.of(
                                wrapping.describe(tensor, module, matcher.group(2), target(tensors, module, prefix)));
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Returns the prefixes that the module of wrapped weights may have: others keep it under their {@code module}. */
    private static List<String> around(String module) {
        String own = module.isEmpty() ? "" : module + ".";
        return List.of(own, own + "module.");
    }

    /** Returns the prefix of the LSTM that the raw weights are for. */
    private static String target(Collection<String> tensors, String module, Optional<String> prefix) {
        String inner = around(module).get(1);
        return prefix.orElseGet(() -> tensors.stream().anyMatch(tensor -> tensor.startsWith(inner))
                ? inner
                : around(module).get(0));
    }

    private String describe(String tensor, String module, String name, String target) {
        String call = this == WEIGHT_DROPOUT
                ? "state[\"" + target + name + "\"] = state.pop(\"" + tensor + "\")"
                : this.call + "(" + (module.isEmpty() ? "model" : "model.get_submodule(\"" + module + "\")") + ", \""
                        + name + "\")";
        return "tensor " + Problems.quote(tensor) + ": expected torch.nn.LSTM's own " + name
                + ", found what a wrapper computes it from; before saving, for each such weight: " + call;
    }
}

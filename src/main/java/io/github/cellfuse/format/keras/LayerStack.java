package io.github.cellfuse.format.keras;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The layers that are read as one LSTM. Each reads the previous one, directly or through layers that change nothing.
 *
 * @param layers the lowest first; at least one
 * @param isMasked whether steps may be masked, as {@code Masking} below does it
 */
record LayerStack(List<KerasLayer> layers, boolean isMasked) {
    /** Advice for a model that can't be read. */
    static final String EXPORT =
            "export the model to ONNX (Keras 3: model.export(PATH, format=\"onnx\"); Keras 2: tf2onnx) and run that";

    /**
     * Returns the layers called {@code names}, the lowest first, or all LSTM layers of a model.
     *
     * @throws InvalidInputException when a name isn't an LSTM layer's, the layers aren't connected so, or without names
     *     the model's LSTM layers don't all follow one another
     */
    static LayerStack of(KerasNetwork network, Optional<List<String>> names) {
        return new Finder(network, names.isPresent() || !network.others().isEmpty()).find(names);
    }

    /** {@code LSTM 'lstm'}, ... */
    String describe() {
        return KerasLayer.describe(layers);
    }

    private static final int MOST_CHAINS = 6;

    private static final class Finder {
        private final KerasNetwork network;
        /** Whether layers that aren't read may come before the lowest one. */
        private final boolean isPart;

        private boolean isMasked;

        Finder(KerasNetwork network, boolean isPart) {
            this.network = network;
            this.isPart = isPart;
        }

        LayerStack find(Optional<List<String>> names) {
            List<KerasLayer> stack = names.map(this::named).orElseGet(this::all);
            for (int k = 0; k < stack.size(); k++) {
                connect(stack.get(k), k == 0 ? Optional.empty() : Optional.of(stack.get(k - 1)));
            }
            return new LayerStack(stack, isMasked);
        }

        private List<KerasLayer> all() {
            List<String> lstms = network.lstms();
            List<KerasLayer> others = network.others();
            if (lstms.isEmpty()) {
                throw invalid("expected LSTM or Bidirectional(LSTM) layers, found none, but "
                        + (others.isEmpty() ? "no layers" : KerasLayer.describe(others)) + "; " + EXPORT);
            }
            if (!others.isEmpty()) {
                return onlyChain(lstms, others);
            }
            Set<String> read = new HashSet<>();
            for (KerasLayer layer : network.layers().values()) {
                if (layer.calls() > 1
                        || layer.sources().size() > 1
                        || !layer.sources().stream().allMatch(s -> read.add(s.layer()))) {
                    throw invalid("layer " + Problems.quote(layer.name())
                            + ": expected the layers one after the other, found them to branch; name those"
                            + " that follow one another"
                            + " (--layers), or " + EXPORT);
                }
            }
            return lstms.stream().map(network::layer).toList();
        }

        /** Returns all LSTM layers, if they follow one another; other layers come before and after them. */
        private List<KerasLayer> onlyChain(List<String> lstms, List<KerasLayer> others) {
            List<List<KerasLayer>> chains = chains();
            if (chains.size() == 1 && chains.get(0).size() == lstms.size()) {
                return chains.get(0);
            }
            String commands = chains.stream()
                    .limit(MOST_CHAINS)
                    .map(chain ->
                            "--layers " + chain.stream().map(KerasLayer::name).collect(Collectors.joining(",")))
                    .collect(Collectors.joining(" or "));
            throw invalid("expected one chain of LSTM layers, found " + KerasLayer.describe(others) + " beside "
                    + Problems.some(lstms) + "; " + (commands.isEmpty() ? "" : "read " + commands + ", or ") + EXPORT);
        }

        /** Returns the LSTM layers in chains, each layer above the one it reads; without those that can't be read. */
        private List<List<KerasLayer>> chains() {
            Map<KerasLayer, List<KerasLayer>> byTop = new LinkedHashMap<>();
            for (String name : network.lstms()) {
                KerasLayer layer = network.layer(name);
                Optional<KerasLayer> below = below(layer);
                if (layer.calls() > 1 || layer.sources().size() > 1) {
                    continue;
                }
                // Where two layers read one, the second begins a chain.
                List<KerasLayer> chain =
                        new ArrayList<>(below.map(byTop::remove).orElse(List.of()));
                chain.add(layer);
                byTop.put(layer, chain);
            }
            return List.copyOf(byTop.values());
        }

        /** Returns the LSTM layer whose output a layer reads, directly or through layers that change nothing. */
        private Optional<KerasLayer> below(KerasLayer layer) {
            KerasLayer at = layer;
            Set<String> seen = new HashSet<>();
            while (at.calls() <= 1 && at.sources().size() == 1 && seen.add(at.name())) {
                KerasLayer.Source source = at.sources().get(0);
                at = network.layer(source.layer());
                if (at.isLstm()) {
                    return source.output() == 0 ? Optional.of(at) : Optional.empty();
                }
                if (!at.isPassing()) {
                    break;
                }
            }
            return Optional.empty();
        }

        private List<KerasLayer> named(List<String> names) {
            if (names.isEmpty()) {
                throw invalid("expected at least one layer's name, found none");
            }
            for (String name : names) {
                KerasLayer layer = network.layer(name);
                if (layer == null || !layer.isLstm()) {
                    throw invalid("expected the name of an LSTM or Bidirectional(LSTM) layer, found "
                            + (layer == null ? "no layer " + Problems.quote(name) : layer.describe())
                            + "; the LSTM layers are " + Problems.some(network.lstms()));
                }
            }
            return names.stream().map(network::layer).toList();
        }

        /** Walks down from {@code layer} to the one below it, or to where the model begins. */
        private void connect(KerasLayer layer, Optional<KerasLayer> below) {
            KerasLayer at = layer;
            Set<String> seen = new HashSet<>();
            while (true) {
                if (!seen.add(at.name())) {
                    throw invalid("layer " + Problems.quote(at.name()) + " reads its own output");
                }
                if (at.calls() > 1 || at.sources().size() > 1) {
                    throw invalid("layer " + Problems.quote(at.name()) + ": expected it to read one tensor once, found "
                            + (at.calls() > 1
                                    ? at.calls() + " calls"
                                    : at.sources().size() + " tensors")
                            + " (an initial state, or a layer that is used twice); " + EXPORT);
                }
                if (at.sources().isEmpty()) {
                    break;
                }
                KerasLayer.Source source = at.sources().get(0);
                at = network.layer(source.layer());
                if (below.isPresent() && at == below.get()) {
                    if (source.output() != 0) {
                        throw invalid("layer " + Problems.quote(layer.name()) + ": expected it to read the output of "
                                + Problems.quote(at.name()) + ", found it to read a state");
                    }
                    return;
                }
                isMasked |= at.isMasking() || !at.isPassing() && at.config().flag("mask_zero", false);
                if (!at.isPassing()) {
                    if (isPart && below.isEmpty()) {
                        return;
                    }
                    break;
                }
            }
            if (below.isPresent() || !at.sources().isEmpty()) {
                throw invalid("layer " + Problems.quote(layer.name()) + ": expected it to read "
                        + below.map(KerasLayer::describe).orElse("the model's input") + ", found it to read "
                        + (at == layer ? "the model's input" : at.describe())
                        + "; layers that are read together follow one another");
            }
        }

        private InvalidInputException invalid(String what) {
            return Problems.invalid(network.label(), what);
        }
    }
}

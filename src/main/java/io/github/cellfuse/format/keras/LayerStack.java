package io.github.cellfuse.format.keras;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import java.util.HashSet;
import java.util.List;
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

    private static final int MOST_NAMES = 8;

    /**
     * Returns the layers called {@code names}, the lowest first, or all LSTM layers of a model that has no other layers
     * to compute.
     *
     * @throws InvalidInputException when a name isn't an LSTM layer's, the layers aren't connected so, or without names
     *     the model computes something else, too
     */
    static LayerStack of(KerasNetwork network, Optional<List<String>> names) {
        return new Finder(network, names.isPresent()).find(names);
    }

    private static final class Finder {
        private final KerasNetwork network;
        private final boolean isNamed;
        private boolean isMasked;

        Finder(KerasNetwork network, boolean isNamed) {
            this.network = network;
            this.isNamed = isNamed;
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
            List<KerasLayer> others = network.layers().values().stream()
                    .filter(layer -> !layer.isLstm() && !layer.isPassing())
                    .toList();
            if (lstms.isEmpty()) {
                throw invalid("expected LSTM or Bidirectional(LSTM) layers, found none, but "
                        + (others.isEmpty() ? "no layers" : describe(others)) + "; " + EXPORT);
            }
            if (!others.isEmpty()) {
                throw invalid("expected nothing but LSTM layers, found " + describe(others) + " beside "
                        + Problems.some(lstms) + "; name the LSTM layers to read (--layers "
                        + String.join(",", lstms) + "), or " + EXPORT);
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
                    if (isNamed && below.isEmpty()) {
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

        private static String describe(List<KerasLayer> layers) {
            String few =
                    layers.stream().limit(MOST_NAMES).map(KerasLayer::describe).collect(Collectors.joining(", "));
            return layers.size() > MOST_NAMES ? few + " and " + (layers.size() - MOST_NAMES) + " more" : few;
        }

        private InvalidInputException invalid(String what) {
            return Problems.invalid(network.label(), what);
        }
    }
}

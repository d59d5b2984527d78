package io.github.cellfuse.cli.info;

import io.github.cellfuse.LstmLayer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Describes a layer of a model or of a graph, in the same words and with the same keys.
 *
 * @param name the layer's name in the file, if it has one
 */
record LayerInfo(LstmLayer layer, Optional<String> name) {

    /**
     * Returns the descriptions of all layers.
     *
     * @param names the names of the layers; none if they don't have names
     */
    static List<LayerInfo> of(List<LstmLayer> layers, List<String> names) {
        return IntStream.range(0, layers.size())
                .mapToObj(
                        k -> new LayerInfo(layers.get(k), names.stream().skip(k).findFirst()))
                .toList();
    }

    /** Returns the direction in lower case. */
    static String direction(LstmLayer layer) {
        return layer.direction().toString().toLowerCase(Locale.ROOT);
    }

    /** Returns the layer in one line, without its name. */
    String describe() {
        String equations = Equations.describe(layer);
        return direction(layer) + " " + layer.inputSize() + " -> " + layer.outputSize() + ", H = " + layer.hiddenSize()
                + (layer.hasProjection() ? ", P = " + layer.stateSize() : "") + (hasBias() ? "" : ", no bias") + ", "
                + layer.parameters() + " parameters, " + layer.flopsPerStep() + " FLOP per row and step"
                + (equations.equals(Equations.ORDINARY) ? "" : "; " + equations);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", name.orElse(null));
        json.put("direction", direction(layer));
        json.put("input_size", layer.inputSize());
        json.put("hidden_size", layer.hiddenSize());
        json.put("projection_size", layer.hasProjection() ? layer.stateSize() : null);
        json.put("output_size", layer.outputSize());
        json.put("bias", hasBias());
        json.put("equations", Equations.describe(layer));
        json.put("deviations", Equations.deviations(layer));
        json.put("parameters", layer.parameters());
        json.put("flops_per_step", layer.flopsPerStep());
        return json;
    }

    private boolean hasBias() {
        return layer.weights().get(0).hasBias();
    }
}

package io.github.cellfuse.format.keras;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.cellfuse.format.file.Problems;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model's layers and how they are connected, from its configuration. {@code Sequential} and {@code Functional} models
 * have one; another model is code.
 *
 * @param label the file, for messages
 * @param layers by name, in the order of the configuration
 */
record KerasNetwork(String label, Map<String, KerasLayer> layers) {
    private static final Set<String> FUNCTIONAL = Set.of("Functional", "Model");

    static KerasNetwork of(Config model) {
        String kind = model.string("class_name");
        boolean isSequential = kind.equals("Sequential");
        if (!isSequential && !FUNCTIONAL.contains(kind)) {
            throw model.invalid("expected a Sequential or Functional model, found class " + Problems.quote(kind)
                    + ", whose layers are known to its own code alone; " + LayerStack.EXPORT);
        }
        // Keras before 2.2.3 has the list of a Sequential's layers in place of its settings.
        List<Config> entries = isSequential && model.json().get("config") instanceof JsonArray
                ? model.objects("config")
                : model.object("config").objects("layers");
        Set<String> names = new LinkedHashSet<>();
        for (Config entry : entries) {
            if (!names.add(name(entry))) {
                throw model.invalid("layer " + Problems.quote(name(entry)) + ": expected once, found twice");
            }
        }
        Map<String, KerasLayer> layers = new LinkedHashMap<>();
        KerasLayer below = null;
        for (Config entry : entries) {
            String name = name(entry);
            Config config = entry.object("config").named("layer " + Problems.quote(name));
            List<KerasLayer.Source> sources = new ArrayList<>();
            int calls = 1;
            if (!isSequential) {
                JsonArray nodes = entry.array("inbound_nodes");
                calls = nodes.size();
                sources(nodes, names, sources);
            } else if (below != null) {
                sources.add(new KerasLayer.Source(below.name(), 0));
            }
            below = new KerasLayer(name, kind(entry), config, List.copyOf(sources), calls);
            layers.put(name, below);
        }
        return new KerasNetwork(model.label(), layers);
    }

    private static String name(Config entry) {
        Optional<String> name = entry.optionalString("name");
        return name.isPresent() ? name.get() : entry.object("config").string("name");
    }

    private static String kind(Config entry) {
        String kind = entry.string("class_name");
        // A user's own class may also be called LSTM.
        Optional<String> registered = entry.optionalString("registered_name");
        if (registered.isPresent() && !registered.get().equals(kind)) {
            return registered.get();
        }
        if ((kind.equals("Bidirectional") || kind.equals("TimeDistributed"))
                && entry.object("config").has("layer")) {
            return kind + "(" + kind(entry.object("config").object("layer")) + ")";
        }
        return kind;
    }

    /**
     * Returns the outputs that a layer's calls name. Keras 2 writes {@code ["lstm", 0, 0, {...}]} (layer, call, output)
     * in lists of varying depth; Keras 3 has the same three values in a tensor's {@code keras_history}.
     */
    private static void sources(JsonElement element, Set<String> names, List<KerasLayer.Source> sources) {
        if (element instanceof JsonObject object) {
            object.asMap().values().forEach(value -> sources(value, names, sources));
        } else if (element instanceof JsonArray array) {
            if (array.size() >= 3
                    && array.get(0) instanceof JsonPrimitive name
                    && name.isString()
                    && names.contains(name.getAsString())
                    && isIndex(array.get(1))
                    && isIndex(array.get(2))) {
                sources.add(new KerasLayer.Source(
                        name.getAsString(), Integer.parseInt(array.get(2).getAsString())));
            }
            array.forEach(value -> sources(value, names, sources));
        }
    }

    private static boolean isIndex(JsonElement element) {
        return element instanceof JsonPrimitive value
                && value.isNumber()
                && value.getAsString().matches("[0-9]{1,6}");
    }

    KerasLayer layer(String name) {
        return layers.get(name);
    }

    /** Returns the layers that are neither LSTMs nor without effect. */
    List<KerasLayer> others() {
        return layers.values().stream().filter(KerasLayer::isOther).toList();
    }

    /** Returns the names of its LSTM layers. */
    List<String> lstms() {
        return layers.values().stream()
                .filter(KerasLayer::isLstm)
                .map(KerasLayer::name)
                .toList();
    }
}

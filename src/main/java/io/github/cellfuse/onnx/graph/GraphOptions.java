package io.github.cellfuse.onnx.graph;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * How to open a graph. Immutable and thread safe, as far as its bindings are.
 *
 * @param bindings the inputs that become constants, by name; they are then no longer inputs of the model
 * @param outputs the names of the outputs to compute; all outputs if there are none. What only the other outputs need
 *     isn't computed, and inputs that only they need are no longer inputs of the model
 * @param supplied the names of inputs that every run supplies even if they have a default, or if no chosen output needs
 *     them. A default that no run supplies is a constant
 */
public record GraphOptions(Map<String, Binding> bindings, Set<String> outputs, Set<String> supplied) {
    /** The default: all inputs without a default are supplied, and all outputs are computed. */
    public static final GraphOptions DEFAULT = new GraphOptions(Map.of(), Set.of(), Set.of());

    public GraphOptions {
        bindings = Collections.unmodifiableMap(new LinkedHashMap<>(bindings));
        outputs = Collections.unmodifiableSet(new LinkedHashSet<>(outputs));
        supplied = Collections.unmodifiableSet(new LinkedHashSet<>(supplied));
    }

    /** Returns the same options with other bindings. */
    public GraphOptions withBindings(Map<String, Binding> bindings) {
        return new GraphOptions(bindings, outputs, supplied);
    }

    /** Returns the same options with other outputs to compute. */
    public GraphOptions withOutputs(Collection<String> outputs) {
        return new GraphOptions(bindings, new LinkedHashSet<>(outputs), supplied);
    }

    /** Returns the same options with other inputs that every run supplies. */
    public GraphOptions withSupplied(Collection<String> supplied) {
        return new GraphOptions(bindings, outputs, new LinkedHashSet<>(supplied));
    }
}

package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.Subgraphs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A whole ONNX graph, cut at its LSTMs: those run on a device of CellFuse's, everything between them in ONNX Runtime. Immutable and safe to
 * share between threads.
 *
 * <pre>{@code
 * OnnxModel model = OnnxModel.open(Path.of("tagger.onnx"));
 * try (OnnxSession session = model.session()) {
 *     Map<String, Tensor> results = session.run(Map.of("tokens", tokens));
 * }
 * }</pre>
 */
public final class OnnxModel {
    private final WorkingGraph graph;
    private final List<GraphValue> inputs;
    private final List<GraphValue> outputs;
    private final List<Part> parts;
    private final List<KeptLstm> kept;

    private OnnxModel(WorkingGraph graph) {
        this.graph = graph;
        Simplifier.simplify(graph);
        inputs = graph.inputs().stream().map(GraphValue::of).toList();
        outputs = graph.outputs().stream().map(GraphValue::of).toList();
        parts = Partition.of(graph);
        kept = KeptLstm.of(graph, parts);
        retain();
    }

    /** The LSTMs have their weights in arrays of their own now. */
    private void retain() {
        Set<String> needed = new HashSet<>();
        outputs.forEach(output -> needed.add(output.name()));
        for (Part part : parts) {
            needed.addAll(part.inputs());
            if (part instanceof RuntimePart runtime) {
                runtime.nodes().forEach(node -> needed.addAll(Subgraphs.needs(node)));
            }
        }
        graph.retain(needed);
    }

    /**
     * Opens a model.
     *
     * @throws InvalidInputException when the file isn't a sound ONNX model, or an LSTM in it isn't
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or weights must be computed and there is no ONNX Runtime
     */
    public static OnnxModel open(Path path) {
        return open(path, Map.of());
    }

    /**
     * Opens a model with some inputs bound to constants: what depends on them alone is computed now, and branches that it decides are the
     * only ones left.
     *
     * @param bindings inputs and what they are
     * @throws InvalidInputException when the file isn't a sound ONNX model, an LSTM in it isn't, or a binding is of no input, of another type
     *     or of another shape
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or something must be computed and there is no ONNX Runtime
     */
    public static OnnxModel open(Path path, Map<String, Binding> bindings) {
        WorkingGraph graph = new WorkingGraph(OnnxFile.open(path));
        List<GraphValue> inputs = graph.inputs().stream().map(GraphValue::of).toList();
        bindings.forEach((name, binding) -> {
            GraphValue input = find(path, "input", name, inputs);
            Tensor value = binding.value(input);
            input.check(path, value);
            graph.bind(name, RuntimeFolding.toProto(value));
        });
        return new OnnxModel(graph);
    }

    /** Returns the input or output called {@code name}. */
    static GraphValue find(Object file, String what, String name, List<GraphValue> values) {
        return values.stream()
                .filter(value -> value.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        file + ": " + what + ": expected one of " + names(values) + ", found '" + name + "'"));
    }

    private static String names(List<GraphValue> values) {
        return values.isEmpty() ? "none" : values.stream().map(GraphValue::name).collect(Collectors.joining(", "));
    }

    /** Returns the file. */
    public Path path() {
        return graph.path();
    }

    /** Returns what a run must be given, in the model's order. */
    public List<GraphValue> inputs() {
        return inputs;
    }

    /** Returns what a run gives, in the model's order. */
    public List<GraphValue> outputs() {
        return outputs;
    }

    /** Returns what runs where, in the order in which it runs. */
    public List<Part> parts() {
        return parts;
    }

    /** Returns the LSTMs that ONNX Runtime runs, and why. */
    public List<KeptLstm> kept() {
        return kept;
    }

    /** Returns the LSTMs that run on a device. */
    public List<LstmPart> lstms() {
        return parts.stream()
                .filter(LstmPart.class::isInstance)
                .map(LstmPart.class::cast)
                .toList();
    }

    /** Returns the number of trained values beside the LSTMs': what the nodes in ONNX Runtime read of constants. */
    public long otherParameters() {
        return parts.stream()
                .filter(RuntimePart.class::isInstance)
                .map(RuntimePart.class::cast)
                .flatMap(part -> graph.constantsOf(part.nodes()).stream())
                .distinct()
                .mapToLong(OnnxModel::elements)
                .sum();
    }

    private static long elements(TensorProto tensor) {
        return tensor.getDimsList().stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    /** Returns a session whose LSTMs run on the best exact device; errors as for {@link #session(Function)}. */
    public OnnxSession session() {
        return session(lstm -> AutoDevice.open(lstm, EngineOptions.DEFAULT).engine());
    }

    /** Returns a session whose LSTMs run on {@code device}; errors as for {@link #session(Function)}. */
    public OnnxSession session(Device device, EngineOptions options) {
        return session(lstm -> LstmEngine.open(device, lstm, options));
    }

    /**
     * A session. Everything that a run needs is opened and compiled now.
     *
     * @param opener opens the LSTMs, called once for each of {@link #lstms()}; the session closes what it opens
     * @throws InvalidInputException when ONNX Runtime refuses a part of the graph
     * @throws io.github.cellfuse.CellFuseException when a device fails, or there is no ONNX Runtime and a part needs it
     */
    public OnnxSession session(Function<LstmModel, LstmEngine> opener) {
        return new OnnxSession(this, opener);
    }

    WorkingGraph graph() {
        return graph;
    }

    /** Returns the sizes that the names of dimensions stand for in a run with these inputs. */
    Map<String, Long> symbols(Map<String, Tensor> given) {
        Map<String, Long> symbols = new LinkedHashMap<>();
        for (GraphValue input : inputs) {
            Tensor tensor = given.get(input.name());
            if (tensor != null) {
                input.bind(tensor.shape(), symbols);
            }
        }
        return symbols;
    }

    /** Refuses inputs that are missing, unknown, or of another type or shape. */
    void check(Map<String, Tensor> given) {
        for (String name : given.keySet()) {
            find(path(), "input", name, inputs);
        }
        List<GraphValue> missing = new ArrayList<>(inputs);
        missing.removeIf(input -> given.containsKey(input.name()));
        if (!missing.isEmpty()) {
            GraphValue first = missing.get(0);
            throw new InvalidInputException(path() + ": expected input '" + first.name() + "', " + first.describe()
                    + ", found " + (given.isEmpty() ? "no inputs" : "only " + String.join(", ", given.keySet())));
        }
        for (GraphValue input : inputs) {
            Tensor tensor = given.get(input.name());
            input.check(path(), tensor);
            if (!kept.isEmpty() && tensor.elementCount() == 0) {
                // It would end the process for want of rows, and leave the states undefined for want of steps.
                throw new InvalidInputException(
                        path() + ": input '" + input.name() + "': expected at least one element, as LSTM "
                                + kept.get(0).node() + " runs in ONNX Runtime, found " + tensor);
            }
        }
    }
}

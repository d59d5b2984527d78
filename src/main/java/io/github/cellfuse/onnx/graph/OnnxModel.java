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
import io.github.cellfuse.onnx.shape.RowProof;
import io.github.cellfuse.onnx.shape.RowSearch;
import io.github.cellfuse.onnx.shape.ShapedGraph;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A whole ONNX graph, cut at its LSTMs. The LSTMs run on a CellFuse device and everything between them in ONNX Runtime.
 * Immutable and thread safe.
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
    private final ShapedGraph shaped;
    /** The graph before its LSTMs were cut out, if shapes of the inputs may decide more of it. */
    private final Optional<WorkingGraph> open;

    private final boolean dependsOnShapes;

    private OnnxModel(WorkingGraph graph, boolean areShapesKnown) {
        this.graph = graph;
        Simplifier.simplify(graph);
        shaped = graph.shaped();
        open = graph.labelled().stream().anyMatch(node -> node.is("If"))
                ? Optional.of(new WorkingGraph(graph))
                : Optional.empty();
        dependsOnShapes = !areShapesKnown && ShapeConditions.hideLstms(graph);
        inputs = graph.inputs().stream().map(GraphValue::of).toList();
        outputs = graph.outputs().stream().map(GraphValue::of).toList();
        parts = Partition.of(graph);
        kept = KeptLstms.of(graph, parts);
        retain();
    }

    /** Drops the constants that no part needs any longer: the LSTMs now have their weights in arrays of their own. */
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
     * @throws InvalidInputException when the file isn't a valid ONNX model, or an LSTM in it is invalid
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or when weights must be computed and ONNX
     *     Runtime is missing
     */
    public static OnnxModel open(Path path) {
        return open(path, Map.of());
    }

    /**
     * Opens a model with some inputs bound to constants; errors as for {@link #open(Path, Map, Collection)}.
     *
     * @param bindings the bound inputs by name; they are no longer inputs of the model
     */
    public static OnnxModel open(Path path, Map<String, Binding> bindings) {
        return open(path, bindings, List.of());
    }

    /**
     * Opens a model with some inputs bound to constants, for some of its outputs. Weights and conditions that depend
     * only on constants are computed now, and an If with such a condition is replaced by the branch it selects. What
     * only the other outputs need isn't computed. A run must supply all inputs nevertheless.
     *
     * @param bindings the bound inputs by name; they are no longer inputs of the model
     * @param outputs the names of the outputs to compute; all outputs if there are none
     * @throws InvalidInputException when the file isn't a valid ONNX model, an LSTM in it is invalid, an output has an
     *     unknown name, or a binding has an unknown name, or another type or shape than its input
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or when values must be computed and ONNX
     *     Runtime is missing
     */
    public static OnnxModel open(Path path, Map<String, Binding> bindings, Collection<String> outputs) {
        WorkingGraph graph = new WorkingGraph(OnnxFile.open(path));
        List<GraphValue> inputs = graph.inputs().stream().map(GraphValue::of).toList();
        bindings.forEach((name, binding) -> {
            GraphValue input = find(path, "input", name, inputs);
            Tensor value = binding.value(input);
            input.check(path, value);
            graph.bind(name, RuntimeFolding.toProto(value));
        });
        if (!outputs.isEmpty()) {
            List<GraphValue> all = graph.outputs().stream().map(GraphValue::of).toList();
            outputs.forEach(name -> find(path, "output", name, all));
            graph.keepOutputs(outputs);
        }
        return new OnnxModel(graph, false);
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

    /**
     * Returns this model for inputs of known shapes: each If whose condition follows from them is replaced by the
     * branch that it takes.
     *
     * @param shapes the shapes by input; -1 for a dimension of any size
     * @throws InvalidInputException when there is no such input, or it can't have this shape
     */
    public OnnxModel withShapes(Map<String, long[]> shapes) {
        shapes.forEach((name, shape) -> {
            GraphValue input = find(path(), "input", name, inputs);
            if (!input.accepts(shape)) {
                throw new InvalidInputException(path() + ": input '" + name + "': expected " + input.describe()
                        + ", found shape " + Arrays.toString(shape));
            }
        });
        if (open.isEmpty()) {
            return this;
        }
        WorkingGraph copy = new WorkingGraph(open.get());
        shapes.forEach(copy::declare);
        boolean areAllKnown = copy.inputs().stream()
                .map(GraphValue::of)
                .allMatch(input -> input.dimensions()
                        .filter(all -> all.stream().allMatch(GraphValue.Dimension::isFixed))
                        .isPresent());
        return new OnnxModel(copy, areAllKnown);
    }

    /** Returns whether LSTMs are in branches that the shapes of the inputs choose. */
    boolean dependsOnShapes() {
        return dependsOnShapes;
    }

    /** Returns the axes along which this model's rows can be computed in pieces, or why there are none. */
    public RowProof rows() {
        return RowSearch.of(shaped);
    }

    /**
     * Returns the axes along which rows can be computed in pieces if the inputs have these shapes.
     *
     * @param shapes the shapes of some inputs; dimensions that count rows may have any number of them nevertheless
     */
    public RowProof rows(Map<String, long[]> shapes) {
        return RowSearch.of(shaped.with(shapes));
    }

    /**
     * Returns the axes along which a model that is made for one row holds this row, so that the results of several runs
     * can be put together.
     *
     * @param inputs the axes of the row in some of the inputs, whose size there is 1
     */
    public RowProof singleRow(Map<String, Integer> inputs) {
        return RowSearch.single(shaped, inputs);
    }

    /** Returns the path of the file. */
    public Path path() {
        return graph.path();
    }

    /** Returns the inputs that a run must supply, in the model's order. */
    public List<GraphValue> inputs() {
        return inputs;
    }

    /** Returns the outputs of a run, in the model's order. */
    public List<GraphValue> outputs() {
        return outputs;
    }

    /** Returns the parts of the graph, in the order in which they run. */
    public List<Part> parts() {
        return parts;
    }

    /** Returns the LSTMs that ONNX Runtime runs, each with the reason. */
    public List<KeptLstm> kept() {
        return kept;
    }

    /** Returns the LSTMs that run on a device, in the order in which they run. */
    public List<LstmPart> lstms() {
        return parts.stream()
                .filter(LstmPart.class::isInstance)
                .map(LstmPart.class::cast)
                .toList();
    }

    /**
     * Returns the number of parameters outside the LSTMs: the elements of all constants that nodes in ONNX Runtime
     * read.
     */
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
     * Returns a session. Everything that a run needs is opened and compiled now.
     *
     * @param opener opens an engine, called once for each of {@link #lstms()}; the session closes the engines
     * @throws InvalidInputException when ONNX Runtime rejects a part of the graph
     * @throws io.github.cellfuse.CellFuseException when a device fails, or when a part needs ONNX Runtime and it is
     *     missing
     */
    public OnnxSession session(Function<LstmModel, LstmEngine> opener) {
        return new OnnxSession(this, opener);
    }

    WorkingGraph graph() {
        return graph;
    }

    /** Returns the sizes of the symbolic dimensions in a run with these inputs. */
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

    /** Throws if an input is missing, unknown, or of another type or shape. */
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
                // Without rows ONNX Runtime's LSTM crashes the process; without steps it leaves the states undefined.
                throw new InvalidInputException(
                        path() + ": input '" + input.name() + "': expected at least one element, because LSTM "
                                + kept.get(0).node() + " runs in ONNX Runtime, found " + tensor);
            }
        }
    }
}

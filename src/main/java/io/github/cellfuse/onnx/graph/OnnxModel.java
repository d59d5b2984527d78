package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.Subgraphs;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.onnx.shape.RowProof;
import io.github.cellfuse.onnx.shape.RowSearch;
import io.github.cellfuse.onnx.shape.ShapedGraph;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
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
    private final Map<String, Tensor> initial;
    private final List<GraphValue> inputs;
    private final List<GraphValue> defaults;
    private final List<GraphValue> outputs;
    private final List<Part> parts;
    private final List<KeptLstm> kept;
    private final ShapedGraph shaped;
    /** The graph before its LSTMs were cut out, if shapes of the inputs may decide more of it. */
    private final Optional<WorkingGraph> open;

    private final GraphOptions options;
    private final boolean dependsOnShapes;

    private OnnxModel(WorkingGraph graph, Map<String, Tensor> initial, GraphOptions options, boolean areShapesKnown) {
        this.graph = graph;
        this.initial = initial;
        this.options = options;
        Simplifier.simplify(graph);
        shaped = graph.shaped();
        open = graph.labelled().stream().anyMatch(node -> node.is("If"))
                ? Optional.of(new WorkingGraph(graph))
                : Optional.empty();
        dependsOnShapes = !areShapesKnown && ShapeConditions.hideLstms(graph);
        defaults = values(graph.defaults());
        outputs = values(graph.outputs());
        parts = Partition.of(graph);
        CopyLimits.check(graph.path(), parts, graph);
        checkInputShapes();
        kept = KeptLstms.of(graph, parts);
        Set<String> needed = needed();
        inputs = values(graph.inputs()).stream()
                .filter(input -> options.outputs().isEmpty()
                        || options.supplied().contains(input.name())
                        || needed.contains(input.name()))
                .toList();
        // Constants that no part needs any longer are dropped: the LSTMs have their weights in arrays of their own.
        graph.retain(needed);
    }

    /** Checks the X of each LSTM on a device, as far as its shape follows from the declared ones. */
    private void checkInputShapes() {
        Map<String, long[]> shapes =
                shaped.dimensions(lstms().stream().map(LstmPart::x).toList());
        for (LstmPart part : lstms()) {
            long[] found = shapes.get(part.x());
            int inputs = part.model().inputSize();
            if (found != null && (found.length != 3 || found[2] >= 0 && found[2] != inputs)) {
                boolean isByTime = part.layout() == Layout.TIME_MAJOR;
                throw new InvalidInputException(
                        path() + ": " + part.label() + ": X " + (isByTime ? "[T,N,I]" : "[N,T,I]")
                                + ": expected three dimensions, the last of size " + inputs + ", found "
                                + Arrays.toString(found).replace("-1", "?"));
            }
        }
    }

    /** Makes a model of other parts, with the constants that they need. */
    OnnxModel(OnnxModel other, WorkingGraph graph, List<Part> parts) {
        this.graph = graph;
        this.parts = parts;
        initial = other.initial;
        defaults = other.defaults;
        inputs = values(graph.inputs());
        outputs = other.outputs;
        kept = other.kept;
        shaped = other.shaped;
        open = Optional.empty();
        options = other.options;
        dependsOnShapes = false;
    }

    private static List<GraphValue> values(List<ValueInfoProto> declared) {
        return declared.stream().map(GraphValue::of).toList();
    }

    /** Returns the names of the values that the parts and the outputs need. */
    private Set<String> needed() {
        Set<String> needed = new HashSet<>();
        outputs.forEach(output -> needed.add(output.name()));
        for (Part part : parts) {
            needed.addAll(part.inputs());
            if (part instanceof RuntimePart runtime) {
                runtime.nodes().forEach(node -> needed.addAll(Subgraphs.needs(node)));
            }
        }
        return needed;
    }

    /**
     * Opens a model.
     *
     * @throws InvalidInputException when the file isn't a valid ONNX model, or an LSTM in it is invalid
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or when weights must be computed and ONNX
     *     Runtime is missing
     */
    public static OnnxModel open(Path path) {
        return open(path, GraphOptions.DEFAULT);
    }

    /**
     * Opens a model. Weights and conditions that depend only on constants are computed now, and an If with such a
     * condition is replaced by the branch it selects.
     *
     * @throws InvalidInputException when the file isn't a valid ONNX model, an LSTM in it is invalid, an option has an
     *     unknown name, an input is both bound and supplied, or a binding has another type or shape than its input
     * @throws io.github.cellfuse.CellFuseException when the disk fails, or when values must be computed and ONNX
     *     Runtime is missing
     */
    public static OnnxModel open(Path path, GraphOptions options) {
        return of(OnnxFile.open(path), options);
    }

    /** Returns the model in a file that was read before; errors as for {@link #open(Path, GraphOptions)}. */
    public static OnnxModel of(OnnxFile file, GraphOptions options) {
        Path path = file.path();
        WorkingGraph graph = new WorkingGraph(file);
        List<GraphValue> inputs = new ArrayList<>(values(graph.inputs()));
        List<GraphValue> defaults = values(graph.defaults());
        inputs.addAll(defaults);
        options.bindings().forEach((name, binding) -> {
            GraphValue input = find(path, "input", name, inputs);
            Tensor value = binding.value(input);
            input.check(path, value);
            graph.bind(name, RuntimeFolding.toProto(value));
        });
        Map<String, Tensor> initial = new HashMap<>();
        for (String name : options.supplied()) {
            GraphValue input = find(path, "input", name, inputs);
            if (options.bindings().containsKey(name)) {
                throw new InvalidInputException(
                        path + ": input '" + name + "': expected it either bound or supplied, found both");
            }
            if (defaults.contains(input)) {
                checkInput(path, input);
                initial.put(name, graph.tensor(graph.supply(name)));
            }
        }
        if (!options.outputs().isEmpty()) {
            options.outputs().forEach(name -> find(path, "output", name, values(graph.outputs())));
            graph.keepOutputs(options.outputs());
        }
        return new OnnxModel(graph, initial, options, false);
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
        if (open.isEmpty() || shapes.isEmpty()) {
            return this;
        }
        WorkingGraph copy = new WorkingGraph(open.get());
        shapes.forEach(copy::declare);
        boolean areAllKnown = copy.inputs().stream()
                .map(GraphValue::of)
                .allMatch(input -> input.dimensions()
                        .filter(all -> all.stream().allMatch(GraphValue.Dimension::isFixed))
                        .isPresent());
        return new OnnxModel(copy, initial, options, areAllKnown);
    }

    /**
     * Returns a model that computes many frames at once, for a model that runs frame by frame and takes and returns its
     * states.
     *
     * @param states for each state, the name of its input and that of the output that becomes this input in the next
     *     call
     * @param axes the axes of the rows, which are those of the streams
     */
    public SequencePlan sequences(Map<String, String> states, RowAxes axes) {
        return FrameSequences.of(this, states, axes);
    }

    /**
     * Returns the number of steps that each of {@link #lstms()} runs for inputs of these shapes; -1 if it doesn't
     * follow from them.
     *
     * @param shapes the shapes by input
     */
    public List<Long> steps(Map<String, long[]> shapes) {
        List<LstmPart> lstms = lstms();
        Map<String, long[]> dimensions =
                shaped.with(shapes).dimensions(lstms.stream().map(LstmPart::x).toList());
        return lstms.stream()
                .map(lstm -> {
                    long[] x = dimensions.getOrDefault(lstm.x(), new long[0]);
                    return x.length == 3 ? x[lstm.layout() == Layout.TIME_MAJOR ? 0 : 1] : -1;
                })
                .toList();
    }

    /** Returns the dimensions of values, as far as they follow from the declared shapes; -1 for others. */
    Map<String, long[]> dimensions(Collection<String> names) {
        return shaped.dimensions(names);
    }

    /** Returns whether the rows of these values come first where they are joined with other axes. */
    boolean areRowsOutermost(RowAxes axes, Collection<String> names) {
        return shaped.areOutermost(axes, names);
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

    /**
     * Returns the inputs that are constants, because they have a default that was neither replaced by a binding nor
     * {@linkplain GraphOptions#supplied() supplied}.
     */
    public List<GraphValue> defaults() {
        return defaults;
    }

    /** Returns the default of an input that each run supplies, if it has one. */
    public Optional<Tensor> defaultOf(String input) {
        return Optional.ofNullable(initial.get(input));
    }

    /**
     * Checks that a session can run this model. A session checks this itself, before it opens a device.
     *
     * @throws InvalidInputException when an input or output has a type that no run can take or return
     */
    public void checkRunnable() {
        inputs.forEach(input -> checkInput(path(), input));
        for (GraphValue output : outputs) {
            if (!output.canBeOutput()) {
                String others = outputs.stream()
                        .filter(GraphValue::canBeOutput)
                        .map(value -> "--output-name " + value.name())
                        .collect(Collectors.joining(" "));
                throw new InvalidInputException(
                        path() + ": output '" + output.name() + "': expected a tensor of numbers, found "
                                + output.describe()
                                + (others.isEmpty()
                                        ? "; cast it in the model"
                                        : "; leave it out by naming the others (" + others + ")"));
            }
        }
    }

    private static void checkInput(Path path, GraphValue input) {
        if (input.type().isEmpty()) {
            throw new InvalidInputException(path + ": input '" + input.name()
                    + "': expected a tensor of numbers, found " + input.describe()
                    + "; it can be neither given nor bound: change it in the model, or choose outputs that don't need"
                    + " it (--output-name)");
        }
        if (!input.canBeInput()) {
            throw new InvalidInputException(path + ": input '" + input.name()
                    + "': expected a type that ONNX Runtime takes from Java, found " + input.describe()
                    + "; bind it to a constant (--set " + input.name() + "=VALUE), or let the model cast it from"
                    + " another type");
        }
    }

    /** Returns the input called {@code name}, which a run must supply. */
    GraphValue input(String name) {
        if (defaults.stream().anyMatch(value -> value.name().equals(name))) {
            throw new InvalidInputException(path() + ": input '" + name
                    + "': expected an input that runs supply, found one with a default; to supply it, open the model"
                    + " with GraphOptions.withSupplied");
        }
        return find(path(), "input", name, inputs);
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
     * @param opener opens an engine, called once for each different model of {@link #lstms()}; the session closes the
     *     engines
     * @throws InvalidInputException when an input or output has a type that no run can take or return, or ONNX Runtime
     *     rejects a part of the graph
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
        Set<String> known = inputs.stream().map(GraphValue::name).collect(Collectors.toSet());
        given.keySet().stream().filter(name -> !known.contains(name)).forEach(this::input);
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
            if (!kept.isEmpty() && !dependsOnShapes && tensor.elementCount() == 0) {
                // Without rows ONNX Runtime's LSTM crashes the process; without steps it leaves the states undefined.
                throw new InvalidInputException(
                        path() + ": input '" + input.name() + "': expected at least one element, because LSTM "
                                + kept.get(0).node() + " runs in ONNX Runtime, found " + tensor);
            }
        }
    }
}

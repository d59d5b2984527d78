package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Constants;
import io.github.cellfuse.onnx.FreshNames;
import io.github.cellfuse.onnx.Functions;
import io.github.cellfuse.onnx.LstmChains;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.OnnxTensors;
import io.github.cellfuse.onnx.Subgraphs;
import io.github.cellfuse.onnx.shape.ShapedGraph;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A graph that is being simplified: its nodes in an executable order, and its constants by name. Smaller models can be
 * cut out of it. Not thread safe.
 */
final class WorkingGraph implements Constants {
    /** The first format version (IR) in which initializers need not be inputs as well. */
    private static final int FREE_INITIALIZERS = 4;

    private final Path path;
    private final long opset;
    private final OnnxTensors tensors;
    private final ModelProto header;
    private final Functions functions;
    private final GraphProto shell;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> constants = new LinkedHashMap<>();
    /** The positions of the inputs in the model. */
    private final Map<String, Integer> order;

    private final List<ValueInfoProto> inputs;
    private final List<ValueInfoProto> defaults;
    private final List<ValueInfoProto> outputs;
    /** All names of values in the graph and its subgraphs, and those that were given to new ones. */
    private final FreshNames names;

    WorkingGraph(OnnxFile file) {
        path = file.path();
        opset = file.opset();
        tensors = file.tensors();
        // Without the graph, whose memory can then be freed. ONNX Runtime gets the bytes of a model, and would look for
        // the data of a function in the process's working directory.
        header = file.model().toBuilder()
                .clearGraph()
                .clearFunctions()
                .addAllFunctions(file.model().getFunctionsList().stream()
                        .map(tensors::inMemory)
                        .toList())
                .build();
        functions = Functions.of(path, header);
        GraphProto graph = file.tensors().inMemory(file.graph());
        shell = graph.toBuilder()
                .clearNode()
                .clearInitializer()
                .clearInput()
                .clearOutput()
                .clearValueInfo() // ONNX Runtime infers them; those of changed values would be wrong
                .build();
        order = new HashMap<>();
        graph.getInputList().forEach(input -> order.put(input.getName(), order.size()));
        inputs = new ArrayList<>(file.inputs());
        defaults = new ArrayList<>(file.defaults());
        outputs = new ArrayList<>(graph.getOutputList());
        names = FreshNames.ofValues(graph);
        nodes.addAll(withoutConstants(graph));
    }

    /** Makes a copy. Changes of one graph don't affect the other. */
    WorkingGraph(WorkingGraph other) {
        path = other.path;
        opset = other.opset;
        tensors = other.tensors;
        header = other.header;
        functions = other.functions;
        shell = other.shell;
        nodes.addAll(other.nodes);
        constants.putAll(other.constants);
        order = other.order;
        inputs = new ArrayList<>(other.inputs);
        defaults = new ArrayList<>(other.defaults);
        outputs = new ArrayList<>(other.outputs);
        names = other.names.copy();
    }

    /** Adds the constants of {@code graph} to this graph's, and returns its other nodes. */
    private List<NodeProto> withoutConstants(GraphProto graph) {
        Constants own = Constants.of(path, graph);
        graph.getInitializerList().forEach(initializer -> constants.put(initializer.getName(), initializer));
        List<NodeProto> others = new ArrayList<>();
        for (OnnxNode node : OnnxNode.of(path, graph)) {
            Optional<String> output = node.is("Constant") ? node.output(0) : Optional.empty();
            Optional<TensorProto> value = output.flatMap(own::find);
            if (value.isPresent()) {
                define(output.get(), value.get());
            } else {
                others.add(node.proto());
            }
        }
        return others;
    }

    Path path() {
        return path;
    }

    /** Returns the opset version of the default domain. */
    long opset() {
        return opset;
    }

    /** Returns the functions that some nodes still call. */
    Functions functions() {
        return functions;
    }

    /** Returns a reader for the constants. */
    OnnxTensors tensors() {
        return tensors;
    }

    List<NodeProto> nodes() {
        return nodes;
    }

    /** Returns the nodes with their labels for messages. */
    List<OnnxNode> labelled() {
        List<OnnxNode> labelled = new ArrayList<>(nodes.size());
        for (int index = 0; index < nodes.size(); index++) {
            labelled.add(OnnxNode.of(path, index, nodes.get(index)));
        }
        return labelled;
    }

    /** Returns the inputs that each run must supply. */
    List<ValueInfoProto> inputs() {
        return inputs;
    }

    /** Returns the inputs that are constants, because they have a default and are neither bound nor supplied. */
    List<ValueInfoProto> defaults() {
        return defaults;
    }

    List<ValueInfoProto> outputs() {
        return outputs;
    }

    /** Drops the outputs with other names than these, and the nodes and defaults that only they need. */
    void keepOutputs(Collection<String> names) {
        outputs.removeIf(output -> !names.contains(output.getName()));
        removeUnneeded();
        defaults.removeIf(input -> !isConstant(input.getName()));
    }

    @Override
    public Optional<TensorProto> find(String name) {
        return Optional.ofNullable(constants.get(name));
    }

    boolean isConstant(String name) {
        return constants.containsKey(name);
    }

    /** Makes {@code name} a constant. */
    void define(String name, TensorProto value) {
        constants.put(name, value.toBuilder().setName(name).build());
    }

    /** Makes the input {@code name} a constant; it is then no longer an input. */
    void bind(String name, TensorProto value) {
        inputs.removeIf(input -> input.getName().equals(name));
        defaults.removeIf(input -> input.getName().equals(name));
        define(name, value);
    }

    /**
     * Declares that inputs have rows along some axes, of which some are frames of streams.
     *
     * @param axes the axis of each input
     * @param states the inputs that have one row for each stream
     */
    void declareFrames(Map<String, Integer> axes, Set<String> states) {
        for (int k = 0; k < inputs.size(); k++) {
            ValueInfoProto.Builder input = inputs.get(k).toBuilder();
            Integer axis = axes.get(input.getName());
            if (axis != null) {
                input.getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder()
                        .getDimBuilder(axis)
                        .setDimParam(states.contains(input.getName()) ? "streams" : "frames of streams");
                inputs.set(k, input.build());
            }
        }
    }

    /** Adds an input that each run must supply. */
    void addInput(ValueInfoProto input) {
        inputs.add(input);
    }

    /**
     * Declares dimensions of an input.
     *
     * @param shape the dimensions; -1 keeps what the model declares
     */
    void declare(String name, long... shape) {
        for (int k = 0; k < inputs.size(); k++) {
            if (inputs.get(k).getName().equals(name)) {
                ValueInfoProto.Builder input = inputs.get(k).toBuilder();
                TensorShapeProto.Builder dims =
                        input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
                for (int axis = 0; axis < shape.length; axis++) {
                    TensorShapeProto.Dimension.Builder dim =
                            axis < dims.getDimCount() ? dims.getDimBuilder(axis) : dims.addDimBuilder();
                    if (shape[axis] >= 0) {
                        dim.clearDimParam().setDimValue(shape[axis]); // one or the other: ONNX Runtime takes the last
                    }
                }
                inputs.set(k, input.build());
            }
        }
    }

    /** Makes an input with a default one that each run must supply, and returns the default. */
    TensorProto supply(String name) {
        ValueInfoProto input = defaults.stream()
                .filter(one -> one.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name));
        defaults.remove(input);
        inputs.add(input);
        inputs.sort(Comparator.comparingInt(one -> order.get(one.getName())));
        return constants.remove(name);
    }

    /** Returns a constant, or a default, as a tensor. */
    Tensor tensor(TensorProto value) {
        ElementType type = OnnxTypes.ofCode(value.getDataType())
                .orElseThrow(() -> new InvalidInputException(path + ": constant '" + value.getName()
                        + "': expected numbers, found " + OnnxTypes.describe(value.getDataType())));
        return new Tensor(type, tensors.bytes(value).order(ByteOrder.LITTLE_ENDIAN), tensors.shape(value));
    }

    /** Returns the graph without its constants: nodes, inputs and outputs. */
    GraphProto toProto() {
        return shell.toBuilder()
                .addAllNode(nodes)
                .addAllInput(inputs)
                .addAllOutput(outputs())
                .build();
    }

    /** Returns this graph as one whose shapes and rows can be followed. */
    ShapedGraph shaped() {
        List<String> names = outputs.stream().map(ValueInfoProto::getName).toList();
        return new ShapedGraph(opset, tensors, this, labelled(), inputs, names);
    }

    /** Drops all nodes, and all constants except {@code values}. */
    void retain(Set<String> values) {
        nodes.clear();
        constants.keySet().retainAll(values);
    }

    /** Returns the size of all constants in bytes. */
    long constantBytes() {
        return constants.values().stream()
                .mapToLong(TensorProto::getSerializedSize)
                .sum();
    }

    /** Returns the constants that some of the nodes read. */
    List<TensorProto> constantsOf(Collection<NodeProto> part) {
        Set<String> used = new LinkedHashSet<>();
        part.forEach(node -> used.addAll(Subgraphs.needs(node)));
        return used.stream().flatMap(name -> find(name).stream()).toList();
    }

    /** Returns for each value the node that computes it. */
    Map<String, NodeProto> producers() {
        Map<String, NodeProto> producers = new HashMap<>();
        for (NodeProto node : nodes) {
            for (String output : node.getOutputList()) {
                if (!output.isEmpty()) {
                    producers.put(output, node);
                }
            }
        }
        return producers;
    }

    /** Leaves out the initial states of LSTMs that are zeros. */
    void removeZeroStates() {
        List<NodeProto> changed = LstmChains.withoutZeroStates(path, toProto(), this, tensors);
        nodes.clear();
        nodes.addAll(changed);
        removeUnneeded();
    }

    /** Removes the nodes whose outputs are all constant or unneeded. */
    void removeUnneeded() {
        Set<String> needed = new HashSet<>();
        outputs().forEach(output -> needed.add(output.getName()));
        List<NodeProto> kept = new ArrayList<>();
        for (int index = nodes.size() - 1; index >= 0; index--) {
            NodeProto node = nodes.get(index);
            boolean isNeeded = node.getOutputList().stream()
                    .anyMatch(output -> needed.contains(output) && !constants.containsKey(output));
            if (isNeeded) {
                needed.addAll(Subgraphs.needs(node));
                kept.add(node);
            }
        }
        Collections.reverse(kept);
        nodes.clear();
        nodes.addAll(kept);
        constants.keySet().retainAll(needed);
    }

    /**
     * Replaces nodes by one of their branches. A branch's own values are renamed if this graph already has their names.
     *
     * @param branches the branch of each node, by the node's identity
     */
    void inline(Map<NodeProto, GraphProto> branches) {
        // ONNX Runtime rejects two nodes with the same name.
        FreshNames nodeNames = FreshNames.ofNodes(
                nodes.stream().filter(node -> !branches.containsKey(node)).toList());
        List<NodeProto> before = List.copyOf(nodes);
        nodes.clear();
        for (NodeProto node : before) {
            GraphProto branch = branches.get(node);
            if (branch == null) {
                nodes.add(node);
                continue;
            }
            for (NodeProto moved : withoutConstants(renamed(node, branch))) {
                nodes.add(
                        moved.getName().isEmpty()
                                ? moved
                                : moved.toBuilder()
                                        .setName(nodeNames.next(moved.getName()))
                                        .build());
            }
        }
    }

    /** Returns a branch of a node whose values have the names that they get in this graph. */
    private GraphProto renamed(NodeProto conditional, GraphProto branch) {
        Map<String, String> renamed = new HashMap<>();
        List<NodeProto> copies = new ArrayList<>();
        // A value that is an output of the branch gets the name of the corresponding output of the node.
        Set<String> own = new LinkedHashSet<>();
        branch.getNodeList().forEach(node -> own.addAll(node.getOutputList()));
        own.remove("");
        for (int k = 0; k < conditional.getOutputCount() && k < branch.getOutputCount(); k++) {
            String outside = conditional.getOutput(k),
                    inside = branch.getOutput(k).getName();
            if (outside.isEmpty()) {
                continue;
            }
            if (own.contains(inside) && !renamed.containsKey(inside)) {
                renamed.put(inside, outside);
            } else {
                copies.add(NodeProto.newBuilder()
                        .setOpType("Identity")
                        .setName(conditional.getName() + "/output " + k)
                        .addInput(inside)
                        .addOutput(outside)
                        .build());
            }
        }
        branch.getInitializerList().forEach(initializer -> own.add(initializer.getName()));
        own.forEach(name -> renamed.computeIfAbsent(name, names::next));
        return Renaming.of(renamed).apply(branch.toBuilder().addAllNode(copies).build());
    }

    /** Returns a name for a new value, which begins with {@code name}. */
    String freshName(String name) {
        return names.next(name);
    }

    /**
     * Returns a model of some of the nodes, with the constants that they use.
     *
     * @param part the nodes in an executable order
     * @param given the names and types of the model's inputs
     * @param wanted the names of the model's outputs
     */
    ModelProto cut(Collection<NodeProto> part, List<ValueInfoProto> given, Collection<String> wanted) {
        GraphProto.Builder graph = shell.toBuilder();
        Set<String> used = new LinkedHashSet<>(wanted);
        part.forEach(node -> used.addAll(Subgraphs.needs(node)));
        for (String name : used) {
            find(name).ifPresent(graph::addInitializer);
        }
        graph.addAllNode(part).addAllInput(given);
        for (String name : wanted) {
            graph.addOutput(ValueInfoProto.newBuilder().setName(name)); // ONNX Runtime infers the type
        }
        ModelProto.Builder model = header.toBuilder();
        if (header.getFunctionsCount() > 0) {
            model.clearFunctions().addAllFunctions(functions.calledBy(graph.getNodeList()));
        }
        return model.setIrVersion(Math.max(header.getIrVersion(), FREE_INITIALIZERS))
                .setGraph(graph)
                .build();
    }
}

package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks that each name in a graph and its subgraphs is defined exactly once, and puts the nodes in an executable
 * order.
 */
final class GraphCheck {
    private final Object file;
    private final GraphProto graph;
    private final GraphCheck outer;
    private final List<OnnxNode> nodes;
    private final Set<String> given = new HashSet<>();
    private final Map<String, Integer> producers = new HashMap<>();

    private final boolean isTyped;

    private GraphCheck(Object file, GraphProto graph, GraphCheck outer, boolean isTyped) {
        this.file = file;
        this.graph = graph;
        this.outer = outer;
        this.isTyped = isTyped;
        nodes = OnnxNode.of(file, graph);
    }

    /**
     * Returns the graph with its nodes and those of its subgraphs in an executable order; the same object if they are.
     */
    static GraphProto check(Object file, GraphProto graph) {
        return new GraphCheck(file, graph, null, true).checked();
    }

    /**
     * Returns the body of a function as a graph without types, with its nodes in an executable order. The body doesn't
     * see the names of its callers.
     */
    static GraphProto check(Object file, FunctionProto function) {
        GraphProto.Builder body = GraphProto.newBuilder().addAllNode(function.getNodeList());
        function.getInputList().forEach(name -> body.addInputBuilder().setName(name));
        function.getOutputList().forEach(name -> body.addOutputBuilder().setName(name));
        return new GraphCheck(file + ": " + Functions.label(function), body.build(), null, false).checked();
    }

    private GraphProto checked() {
        graph.getInputList().forEach(this::checkInput);
        Set<String> constants = new HashSet<>();
        for (TensorProto initializer : graph.getInitializerList()) {
            define("initializer", initializer.getName(), constants);
        }
        // An initializer may have the name of an input, as its default value.
        given.addAll(constants);
        for (int index = 0; index < nodes.size(); index++) {
            checkOutputs(index);
        }
        checkNames();
        nodes.forEach(this::checkInputs);
        graph.getOutputList().forEach(this::checkOutput);
        GraphProto inner = withCheckedSubgraphs();
        return NodeOrder.sorted(nodes, producers)
                .map(order -> reordered(inner, order))
                .orElse(inner);
    }

    private static GraphProto reordered(GraphProto graph, int[] order) {
        GraphProto.Builder builder = graph.toBuilder().clearNode();
        for (int index : order) {
            builder.addNode(graph.getNode(index));
        }
        return builder.build();
    }

    private void checkInput(ValueInfoProto input) {
        define("input", input.getName(), given);
        if (isTyped) {
            checkType("input", input);
        }
    }

    private void define(String what, String name, Set<String> names) {
        if (name.isEmpty()) {
            throw invalid("expected a name for every " + what + ", found an empty name");
        }
        if (!names.add(name)) {
            throw invalid(what + " " + Problems.quote(name) + ": expected one with this name, found two");
        }
    }

    private void checkOutputs(int index) {
        OnnxNode node = nodes.get(index);
        if (node.proto().getOpType().isEmpty()) {
            throw node.invalid("expected an operator, found an empty op_type");
        }
        for (String output : node.proto().getOutputList()) {
            if (!output.isEmpty() && (given.contains(output) || producers.put(output, index) != null)) {
                throw node.invalid("output " + Problems.quote(output)
                        + ": expected a new name, found one that is already defined");
            }
        }
    }

    /**
     * Checks that no two nodes have the same name, as far as they have one. ONNX Runtime takes constants of the same
     * name.
     */
    private void checkNames() {
        Set<String> names = new HashSet<>();
        for (OnnxNode node : nodes) {
            String name = node.proto().getName();
            if (!name.isEmpty() && !node.is("Constant") && !names.add(name)) {
                throw node.invalid("expected a name of its own, found another node of this name");
            }
        }
    }

    private void checkInputs(OnnxNode node) {
        for (String name : Subgraphs.needs(node.proto())) {
            if (!isDefined(name)) {
                boolean isInput = node.proto().getInputList().contains(name);
                throw node.invalid((isInput ? "input " : "subgraph: ") + Problems.quote(name)
                        + ": expected the name of a value, found one that nothing defines");
            }
        }
    }

    private void checkOutput(ValueInfoProto output) {
        if (!isDefined(output.getName())) {
            throw invalid("output " + Problems.quote(output.getName())
                    + ": expected the name of a value, found one that nothing defines");
        }
        if (isTyped) {
            checkType("output", output);
        }
    }

    private boolean isDefined(String name) {
        return given.contains(name) || producers.containsKey(name) || outer != null && outer.isDefined(name);
    }

    /**
     * Checks that a value has a type. Types other than tensors, such as sequences, are in fields unknown to this
     * schema.
     */
    private void checkType(String what, ValueInfoProto value) {
        TypeProto type = value.getType();
        boolean isOther =
                !type.hasTensorType() && !type.getUnknownFields().asMap().isEmpty();
        if (!isOther && type.getTensorType().getElemType() == 0) {
            throw invalid(what + " " + Problems.quote(value.getName()) + ": expected a type, found none");
        }
    }

    private GraphProto withCheckedSubgraphs() {
        GraphProto.Builder changed = null;
        for (int index = 0; index < nodes.size(); index++) {
            NodeProto node = nodes.get(index).proto(), checked = withCheckedSubgraphs(nodes.get(index));
            if (checked != node) {
                changed = changed == null ? graph.toBuilder() : changed;
                changed.setNode(index, checked);
            }
        }
        return changed == null ? graph : changed.build();
    }

    private NodeProto withCheckedSubgraphs(OnnxNode node) {
        NodeProto.Builder changed = null;
        for (int k = 0; k < node.proto().getAttributeCount(); k++) {
            AttributeProto attribute = node.proto().getAttribute(k);
            if (!attribute.hasG() && attribute.getGraphsCount() == 0) {
                continue;
            }
            AttributeProto.Builder checked = attribute.toBuilder();
            String where = file + ": " + node.label() + ", " + attribute.getName();
            boolean differs = false;
            if (attribute.hasG()) {
                GraphProto inner = new GraphCheck(where, attribute.getG(), this, false).checked();
                differs = inner != attribute.getG();
                checked.setG(inner);
            }
            for (int g = 0; g < attribute.getGraphsCount(); g++) {
                GraphProto inner = new GraphCheck(where, attribute.getGraphs(g), this, false).checked();
                differs |= inner != attribute.getGraphs(g);
                checked.setGraphs(g, inner);
            }
            if (differs) {
                changed = changed == null ? node.proto().toBuilder() : changed;
                changed.setAttribute(k, checked);
            }
        }
        return changed == null ? node.proto() : changed.build();
    }

    private InvalidInputException invalid(String what) {
        return Problems.invalid(file, what);
    }
}

package io.github.cellfuse.onnx;

import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The nodes of a function's body for one call of it. The function's inputs and outputs get the names that the call
 * gives them; all other values get new names, those in subgraphs too, because they could otherwise hide a value of the
 * caller. References to the function's attributes are replaced by the call's attributes or their defaults.
 */
final class FunctionCopy {
    private final FunctionProto function;
    private final String label;
    private final Context context;
    private final Map<String, AttributeProto> attributes = new HashMap<>();

    /** The new names of the values in a body or subgraph, and those that it sees around it. */
    private record Scope(Map<String, String> names, Scope outer) {
        static Scope within(Scope outer) {
            return new Scope(new HashMap<>(), outer);
        }

        String find(String name) {
            for (Scope scope = this; scope != null; scope = scope.outer) {
                String found = scope.names.get(name);
                if (found != null) {
                    return found;
                }
            }
            return name; // the empty name of an optional input or output
        }
    }

    /** The names that the copies of a model's functions may have, and the limits for the copies. */
    record Context(Object file, FreshNames values, FreshNames nodes, CopyBudget budget) {}

    private FunctionCopy(FunctionProto function, NodeProto call, Context context) {
        this.function = function;
        this.context = context;
        label = label(function, call);
        function.getAttributeProtoList().forEach(attribute -> attributes.put(attribute.getName(), attribute));
        call.getAttributeList().forEach(attribute -> attributes.put(attribute.getName(), attribute));
    }

    private static String label(FunctionProto function, NodeProto call) {
        return call.getName().isEmpty()
                ? call.getOutputList().stream()
                        .filter(output -> !output.isEmpty())
                        .findFirst()
                        .orElse(function.getName())
                : call.getName();
    }

    /**
     * Returns the nodes for a call.
     *
     * @param body the function's checked body
     */
    static List<NodeProto> of(FunctionProto function, GraphProto body, NodeProto call, Context context) {
        FunctionCopy copy = new FunctionCopy(function, call, context);
        if (call.getInputCount() > function.getInputCount() || call.getOutputCount() > function.getOutputCount()) {
            throw Problems.invalid(
                    context.file,
                    Functions.label(function) + ": call " + Problems.quote(copy.label) + ": expected at most "
                            + function.getInputCount() + " inputs and " + function.getOutputCount() + " outputs, found "
                            + call.getInputCount() + " and " + call.getOutputCount());
        }
        return copy.nodes(body, call);
    }

    private List<NodeProto> nodes(GraphProto body, NodeProto call) {
        Scope scope = Scope.within(null);
        for (int k = 0; k < function.getInputCount(); k++) {
            scope.names.put(function.getInput(k), k < call.getInputCount() ? call.getInput(k) : "");
        }
        List<NodeProto> identities = new ArrayList<>();
        for (int k = 0; k < call.getOutputCount(); k++) {
            String inside = function.getOutput(k), outside = call.getOutput(k);
            // An output that is an input of the function, or another output as well, needs a value of its own.
            if (!outside.isEmpty() && scope.names.putIfAbsent(inside, outside) != null) {
                identities.add(NodeProto.newBuilder()
                        .setOpType("Identity")
                        .setName(context.nodes.next(label + "/" + inside))
                        .addInput(inside)
                        .addOutput(outside)
                        .build());
            }
        }
        defineOutputs(body, scope);
        List<NodeProto> nodes = new ArrayList<>();
        body.getNodeList().forEach(node -> nodes.add(copy(node, scope)));
        for (NodeProto identity : identities) {
            nodes.add(identity.toBuilder()
                    .setInput(0, scope.find(identity.getInput(0)))
                    .build());
        }
        return nodes;
    }

    private void defineOutputs(GraphProto graph, Scope scope) {
        graph.getNodeList().forEach(node -> node.getOutputList().forEach(output -> define(output, scope)));
    }

    private void define(String name, Scope scope) {
        if (!name.isEmpty() && !scope.names.containsKey(name)) {
            scope.names.put(name, context.values.next(label + "/" + name));
        }
    }

    private String name(String name, Scope scope) {
        String found = scope.find(name);
        context.budget.name(function, found);
        return found;
    }

    private NodeProto copy(NodeProto node, Scope scope) {
        NodeProto.Builder copy = node.toBuilder()
                .setName(context.nodes.next(
                        label + "/" + (node.getName().isEmpty() ? node.getOpType() : node.getName())))
                .clearAttribute();
        context.budget.name(function, copy.getName());
        for (int k = 0; k < node.getInputCount(); k++) {
            copy.setInput(k, name(node.getInput(k), scope));
        }
        for (int k = 0; k < node.getOutputCount(); k++) {
            copy.setOutput(k, name(node.getOutput(k), scope));
        }
        for (AttributeProto attribute : node.getAttributeList()) {
            copy(attribute, scope).ifPresent(copy::addAttribute);
        }
        return copy.build();
    }

    /** Returns a copy of an attribute, or nothing if it refers to one that the call doesn't give. */
    private Optional<AttributeProto> copy(AttributeProto attribute, Scope scope) {
        if (!attribute.getRefAttrName().isEmpty()) {
            return Optional.ofNullable(attributes.get(attribute.getRefAttrName()))
                    .map(given -> {
                        long fields = 0;
                        for (GraphProto graph : Subgraphs.of(given)) {
                            fields += CopyBudget.fields(graph);
                        }
                        context.budget.copy(function, fields, given.getSerializedSize());
                        return given.toBuilder().setName(attribute.getName()).build();
                    });
        }
        if (Subgraphs.of(attribute).isEmpty()) {
            return Optional.of(attribute);
        }
        AttributeProto.Builder copy = attribute.toBuilder();
        if (attribute.hasG()) {
            copy.setG(copy(attribute.getG(), scope));
        }
        for (int g = 0; g < attribute.getGraphsCount(); g++) {
            copy.setGraphs(g, copy(attribute.getGraphs(g), scope));
        }
        return Optional.of(copy.build());
    }

    private GraphProto copy(GraphProto graph, Scope outer) {
        Scope scope = Scope.within(outer);
        graph.getInputList().forEach(input -> define(input.getName(), scope));
        graph.getInitializerList().forEach(initializer -> define(initializer.getName(), scope));
        defineOutputs(graph, scope);
        GraphProto.Builder copy = graph.toBuilder().clearNode().clearValueInfo();
        copy.getInputBuilderList().forEach(input -> input.setName(name(input.getName(), scope)));
        copy.getOutputBuilderList().forEach(output -> output.setName(name(output.getName(), scope)));
        copy.getInitializerBuilderList()
                .forEach(initializer -> initializer.setName(name(initializer.getName(), scope)));
        graph.getNodeList().forEach(node -> copy.addNode(copy(node, scope)));
        return copy.build();
    }
}

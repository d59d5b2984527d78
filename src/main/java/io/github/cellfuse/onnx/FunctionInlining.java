package io.github.cellfuse.onnx;

import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Replaces the calls of a model's functions by the functions' nodes, so that all other code sees a plain graph. Calls
 * stay if {@link Functions#conflict} has a reason.
 */
final class FunctionInlining {
    /** The limit for calls and subgraphs within each other; {@link WireScan} has the same for messages. */
    private static final int DEEPEST = 100;

    /** The most functions in a message: enough to locate a cycle. */
    private static final int MOST_NAMES = 6;

    private final Object file;
    private final Functions functions;
    private final FunctionCopy.Context context;
    private final Map<FunctionProto, Optional<Body>> bodies = new IdentityHashMap<>();
    private final List<FunctionProto> active = new ArrayList<>();
    private int depth;

    /** A function's checked body, and the number of its fields. */
    private record Body(GraphProto graph, long fields) {}

    private FunctionInlining(Object file, ModelProto model, Functions functions, long mostMemory) {
        this.file = file;
        this.functions = functions;
        context = new FunctionCopy.Context(
                file,
                FreshNames.ofValues(model.getGraph()),
                FreshNames.ofNodes(model.getGraph()),
                new CopyBudget(file, model.getSerializedSize(), mostMemory));
    }

    /**
     * Returns the model without calls. Only functions that are still called remain. A model without functions stays the
     * same object.
     *
     * @throws io.github.cellfuse.InvalidInputException when a called function is invalid or calls itself, or when the
     *     result would be too large
     */
    static ModelProto inline(Object file, ModelProto model) {
        return inline(file, model, Runtime.getRuntime().maxMemory() / 4);
    }

    /** Does the same with another limit for the memory of the copied nodes, in bytes. */
    static ModelProto inline(Object file, ModelProto model, long mostMemory) {
        if (model.getFunctionsCount() == 0) {
            return model;
        }
        Functions all = Functions.of(file, model);
        ModelProto complete = model.toBuilder()
                .addAllOpsetImport(all.missingImports(all.calledBy(model.getGraph())))
                .build();
        Functions functions = Functions.of(file, complete);
        GraphProto graph = new FunctionInlining(file, complete, functions, mostMemory).expanded(complete.getGraph());
        return complete.toBuilder()
                .setGraph(graph)
                .clearFunctions()
                .addAllFunctions(functions.calledBy(graph))
                .build();
    }

    private GraphProto expanded(GraphProto graph) {
        List<NodeProto> nodes = new ArrayList<>(graph.getNodeCount());
        graph.getNodeList().forEach(node -> expand(node, nodes));
        return graph.toBuilder().clearNode().addAllNode(nodes).build();
    }

    /** Adds a node, or the nodes that it calls, to {@code target}. */
    private void expand(NodeProto node, List<NodeProto> target) {
        NodeProto plain = withExpandedSubgraphs(node);
        Optional<FunctionProto> called = functions.find(plain);
        Optional<Body> body = called.flatMap(this::body);
        if (body.isEmpty()) {
            target.add(plain);
            return;
        }
        FunctionProto function = called.get();
        enter(function);
        context.budget().copy(function, body.get().fields, body.get().graph.getSerializedSize());
        FunctionCopy.of(function, body.get().graph, plain, context).forEach(copy -> expand(copy, target));
        active.remove(active.size() - 1);
        depth--;
    }

    private void enter(FunctionProto function) {
        if (active.contains(function)) {
            throw Problems.invalid(
                    file,
                    Functions.label(function) + ": expected a function that doesn't call itself, found a cycle: "
                            + active.subList(active.indexOf(function), active.size()).stream()
                                    .limit(MOST_NAMES)
                                    .map(Functions::label)
                                    .collect(Collectors.joining(", ")));
        }
        active.add(function);
        deeper();
    }

    private void deeper() {
        if (++depth > DEEPEST) {
            throw Problems.invalid(
                    file,
                    (active.isEmpty() ? "graph" : Functions.label(active.get(active.size() - 1)))
                            + ": expected calls and subgraphs within each other to a depth of at most " + DEEPEST
                            + ", found more");
        }
    }

    private NodeProto withExpandedSubgraphs(NodeProto node) {
        if (Subgraphs.of(node).isEmpty()) {
            return node;
        }
        deeper();
        NodeProto.Builder plain = node.toBuilder();
        for (AttributeProto.Builder attribute : plain.getAttributeBuilderList()) {
            if (attribute.hasG()) {
                attribute.setG(expanded(attribute.getG()));
            }
            for (int g = 0; g < attribute.getGraphsCount(); g++) {
                attribute.setGraphs(g, expanded(attribute.getGraphs(g)));
            }
        }
        depth--;
        return plain.build();
    }

    /** Returns the body of a function, or nothing if it can't become part of the model's graph. */
    private Optional<Body> body(FunctionProto function) {
        return bodies.computeIfAbsent(function, f -> {
            if (functions.conflict(f).isPresent()) {
                return Optional.empty();
            }
            GraphProto graph = GraphCheck.check(file, f);
            return Optional.of(new Body(graph, 1 + CopyBudget.fields(graph)));
        });
    }
}

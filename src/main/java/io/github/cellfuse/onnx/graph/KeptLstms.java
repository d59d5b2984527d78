package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Functions;
import io.github.cellfuse.onnx.LstmNode;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the LSTMs that ONNX Runtime runs: in its parts of a graph, in the subgraphs of their nodes, and in the
 * functions that these call. Operators of other domains count if their name contains LSTM. Those in a function are
 * listed once, however many calls it has.
 */
final class KeptLstms {
    private final WorkingGraph graph;
    private final Functions functions;
    private final ShapeConditions conditions;
    private final Set<FunctionProto> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<KeptLstm> kept = new ArrayList<>();

    private KeptLstms(WorkingGraph graph) {
        this.graph = graph;
        functions = graph.functions();
        conditions = new ShapeConditions(graph);
    }

    /** Returns the LSTMs in the parts that ONNX Runtime runs. */
    static List<KeptLstm> of(WorkingGraph graph, List<Part> parts) {
        KeptLstms search = new KeptLstms(graph);
        for (Part part : parts) {
            if (part instanceof RuntimePart runtime) {
                runtime.nodes().forEach(node -> search.visit(node, Optional.empty()));
            }
        }
        return search.kept;
    }

    /**
     * Adds the LSTMs of a node.
     *
     * @param place the reason that its place gives; nothing for a node of the graph itself
     */
    private void visit(NodeProto node, Optional<String> place) {
        Optional<String> reason = reason(node, place);
        if (reason.isPresent()) {
            kept.add(new KeptLstm(name(node), reason.get()));
        } else {
            functions.find(node).ifPresent(function -> visit(function, place));
        }
        Subgraphs.of(node)
                .forEach(inner -> inner.getNodeList()
                        .forEach(each -> visit(each, Optional.of(place.orElseGet(() -> placeWithin(node))))));
    }

    private void visit(FunctionProto function, Optional<String> place) {
        if (seen.add(function)) {
            String within = place.orElseGet(() -> "it is in " + Functions.label(function)
                    + functions.conflict(function).map(why -> ", which " + why).orElse(""));
            function.getNodeList().forEach(node -> visit(node, Optional.of(within)));
        }
    }

    /** Returns why an LSTM stays in ONNX Runtime, or nothing if {@code node} isn't an LSTM. */
    private Optional<String> reason(NodeProto node, Optional<String> place) {
        if (!OnnxNode.isDefaultDomain(node.getDomain())) {
            return foreignReason(node);
        }
        OnnxNode known = OnnxNode.of(graph.path(), 0, node);
        if (!known.is("LSTM")) {
            return Optional.empty();
        }
        return place.or(
                () -> LstmNode.variableWeight(known, graph).map(name -> "its weights '" + name + "' aren't constant"));
    }

    /**
     * Returns the reason for an operator of another domain, which would stay anywhere. A function is no operator: what
     * counts is what it holds.
     */
    private Optional<String> foreignReason(NodeProto node) {
        String operator = node.getOpType();
        if (!operator.toUpperCase(Locale.ROOT).contains("LSTM")
                || functions.find(node).isPresent()) {
            return Optional.empty();
        }
        String full = operator + " of " + node.getDomain();
        return Optional.of(
                full.equals("DynamicQuantizeLSTM of com.microsoft")
                        ? "its weights are quantized: " + full
                        : "it is " + full + ", not ONNX's LSTM");
    }

    private String placeWithin(NodeProto node) {
        return node.getOpType().equals("If")
                ? "it is in a branch of If " + name(node) + ", whose condition depends on the "
                        + (isByShapes(node) ? "shapes of the inputs" : "inputs")
                : "it is in the body of " + node.getOpType() + " " + name(node);
    }

    private boolean isByShapes(NodeProto conditional) {
        return conditional.getInputCount() > 0 && conditions.isByShapes(conditional.getInput(0));
    }

    private static String name(NodeProto node) {
        String name = ChainParts.name(node);
        return name.isEmpty() ? "without a name" : name;
    }
}

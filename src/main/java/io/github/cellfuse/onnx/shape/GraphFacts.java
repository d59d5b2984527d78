package io.github.cellfuse.onnx.shape;

import io.github.cellfuse.onnx.Constants;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.OnnxTensors;
import io.github.cellfuse.onnx.Subgraphs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** What is known of the values of a graph, found by following its nodes from the inputs on. Not thread safe. */
final class GraphFacts {
    /** The operators whose result differs from run to run. */
    private static final Set<String> RANDOM = Set.of(
            "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli");

    private final long opset;
    private final OnnxTensors tensors;
    private final RowCount rowCount;
    private final Optional<GraphFacts> outer;
    private final AtomicLong symbols;
    private final Map<String, TensorFacts> facts = new HashMap<>();
    private int followed;

    /**
     * Makes the facts of a graph of which nothing is known yet.
     *
     * @param opset the opset version of the default domain
     * @param tensors reads tensors among the nodes' attributes
     * @param rowCount what is known of the number of rows
     */
    GraphFacts(long opset, OnnxTensors tensors, RowCount rowCount) {
        this(opset, tensors, rowCount, Optional.empty());
    }

    private GraphFacts(long opset, OnnxTensors tensors, RowCount rowCount, Optional<GraphFacts> outer) {
        this.opset = opset;
        this.tensors = tensors;
        this.rowCount = rowCount;
        this.outer = outer;
        symbols = outer.map(o -> o.symbols).orElseGet(AtomicLong::new);
    }

    void define(String name, TensorFacts known) {
        facts.put(name, known);
    }

    /** Returns the facts of a value. */
    TensorFacts find(String name) {
        TensorFacts known = facts.get(name);
        return known != null ? known : outer.map(o -> o.find(name)).orElse(TensorFacts.UNKNOWN);
    }

    /** Returns the number of nodes through which the rows could be followed. */
    int followed() {
        return followed;
    }

    /** Adds the facts of the outputs of {@code nodes}, which are in an executable order. */
    void follow(List<OnnxNode> nodes) {
        for (OnnxNode node : nodes) {
            List<TensorFacts> results = results(node);
            for (int k = 0; k < node.proto().getOutputCount(); k++) {
                String name = node.proto().getOutput(k);
                if (!name.isEmpty()) {
                    facts.put(name, checked(node, results.get(Math.min(k, results.size() - 1))));
                }
            }
        }
    }

    private List<TensorFacts> results(OnnxNode node) {
        Set<String> needs = Subgraphs.needs(node.proto());
        for (String name : needs) {
            Optional<RowEnd> end = find(name).end();
            if (end.isPresent()) {
                return List.of(TensorFacts.ended(end.get()));
            }
        }
        boolean isIndependent = needs.stream().allMatch(name -> find(name).isIndependent());
        followed += isIndependent ? 0 : 1;
        try {
            if (node.is("If")) {
                return branches(node); // whose nodes are checked one by one
            }
            List<TensorFacts> results = apply(node, isIndependent);
            return isIndependent
                    ? results
                    : results.stream().map(result -> dependent(node, result)).toList();
        } catch (RowEndException e) {
            return List.of(isIndependent ? TensorFacts.UNKNOWN : TensorFacts.ended(e.end()));
        }
    }

    private List<TensorFacts> apply(OnnxNode node, boolean isIndependent) {
        List<Optional<TensorFacts>> inputs = new ArrayList<>();
        for (String name : node.proto().getInputList()) {
            inputs.add(name.isEmpty() ? Optional.empty() : Optional.of(find(name)));
        }
        Operation operation = new Operation(node, opset, tensors, rowCount, inputs, symbols);
        boolean isOwn = OnnxNode.isDefaultDomain(node.proto().getDomain());
        String operator = node.proto().getOpType();
        if (isRandom(node.proto())) {
            return List.of(TensorFacts.ended(
                    operation.ended("gives other numbers in each run").end()));
        }
        Optional<Rules.Entry> entry = Rules.of(isOwn ? operator : node.proto().getDomain() + ":" + operator);
        if (entry.isEmpty()) {
            if (isIndependent) {
                return List.of(TensorFacts.UNKNOWN);
            }
            throw operation.ended("has an operator that isn't known to keep rows apart");
        }
        boolean needsNumbers = false;
        for (int k = 0; k < inputs.size(); k++) {
            if (operation.input(k).countsRows()) {
                if (!entry.get().takes(k)) {
                    throw operation.ended("computes with the number of rows");
                }
                needsNumbers |= entry.get().computesWith(k);
            }
        }
        List<TensorFacts> results = entry.get().rule().apply(operation);
        if (needsNumbers
                && results.stream().anyMatch(result -> result.elements().isEmpty())) {
            throw operation.ended("computes with the number of rows");
        }
        return results;
    }

    /** Returns whether a node, or one in a body of it, gives other numbers in each run. */
    private static boolean isRandom(NodeProto node) {
        return OnnxNode.isDefaultDomain(node.getDomain()) && RANDOM.contains(node.getOpType())
                || Subgraphs.of(node).stream()
                        .anyMatch(graph -> graph.getNodeList().stream().anyMatch(GraphFacts::isRandom));
    }

    /** Ends the proof if a value that depends on rows, or on their number, neither holds rows nor is a known size. */
    private static TensorFacts dependent(OnnxNode node, TensorFacts found) {
        boolean isFollowed = found.end().isPresent()
                || found.rows().isPresent()
                || found.elements().isPresent();
        return isFollowed
                ? found
                : TensorFacts.ended(new RowEnd(
                        node.label() + " has an output in which the rows can't be followed", Optional.empty()));
    }

    /** Ends the proof if the rows' axis doesn't have their size, or if another one depends on their number. */
    private static TensorFacts checked(OnnxNode node, TensorFacts found) {
        List<Size> dims = found.dims().orElse(List.of());
        for (int axis = 0; axis < dims.size(); axis++) {
            boolean isRows = found.rows().isPresent() && found.rows().get().axis() == axis;
            boolean fits = isRows
                    ? found.rows().get().size().equals(Optional.of(dims.get(axis)))
                    : !dims.get(axis).isOfRows();
            if (!fits) {
                return TensorFacts.ended(new RowEnd(
                        node.label() + " has an output whose axis " + axis + " depends on the number of rows",
                        Optional.empty()));
            }
        }
        return found;
    }

    /** Returns the facts of an If: those of its branch, or what both branches have in common. */
    private List<TensorFacts> branches(OnnxNode node) {
        Operation operation = new Operation(
                node, opset, tensors, rowCount, List.of(node.input(0).map(this::find)), symbols);
        TensorFacts condition = operation.input(0);
        if (condition.numbers().isPresent() && condition.numbers().get().length == 1) {
            return branch(node, condition.numbers().get()[0] != 0 ? "then_branch" : "else_branch");
        }
        if (condition.rows().isPresent()) {
            throw operation.ended("chooses a branch by what is in the rows");
        }
        if (condition.countsRows()) {
            throw operation.ended("chooses a branch by the number of rows");
        }
        List<TensorFacts> some = branch(node, "then_branch"),
                others = branch(node, "else_branch"),
                joined = new ArrayList<>();
        for (int k = 0; k < Math.min(some.size(), others.size()); k++) {
            joined.add(joined(operation, some.get(k), others.get(k)));
        }
        return joined.isEmpty() ? List.of(TensorFacts.UNKNOWN) : joined;
    }

    private List<TensorFacts> branch(OnnxNode node, String name) {
        Optional<GraphProto> graph = node.attribute(name, AttributeType.GRAPH).map(a -> a.getG());
        if (graph.isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        GraphFacts inner = new GraphFacts(opset, tensors, rowCount, Optional.of(this));
        Constants constants = Constants.of(node.file(), graph.get());
        graph.get().getInitializerList().forEach(i -> inner.define(i.getName(), ConstantFacts.of(i, tensors)));
        List<OnnxNode> nodes = new ArrayList<>();
        for (OnnxNode each : OnnxNode.of(node.file(), graph.get())) {
            Optional<String> output = each.is("Constant") ? each.output(0) : Optional.empty();
            Optional<TensorProto> value = output.flatMap(constants::find);
            value.ifPresent(v -> inner.define(output.get(), ConstantFacts.of(v, tensors)));
            if (value.isEmpty()) {
                nodes.add(each);
            }
        }
        inner.follow(nodes);
        return graph.get().getOutputList().stream()
                .map(output -> inner.find(output.getName()))
                .toList();
    }

    private static TensorFacts joined(Operation operation, TensorFacts a, TensorFacts b) {
        Optional<RowEnd> end = a.end().or(b::end);
        if (end.isPresent()) {
            return TensorFacts.ended(end.get());
        }
        boolean areSameElements = a.elements().equals(b.elements());
        boolean areIndependent = a.isIndependent() && b.isIndependent();
        if (!a.rows().equals(b.rows()) || !areIndependent && !areSameElements) {
            throw operation.ended("has the rows in different places in its branches");
        }
        if (a.dims().isEmpty()
                || b.dims().isEmpty()
                || a.dims().get().size() != b.dims().get().size()) {
            if (!areIndependent) {
                throw operation.ended("gives values of different numbers of dimensions");
            }
            return TensorFacts.UNKNOWN;
        }
        List<Size> dims = new ArrayList<>();
        for (int axis = 0; axis < a.dims().get().size(); axis++) {
            Size one = a.dims().get().get(axis), other = b.dims().get().get(axis);
            dims.add(one.equals(other) ? one : operation.unknown(List.of(one, other)));
        }
        TensorFacts facts = TensorFacts.of(dims).withRows(a.rows());
        return areSameElements && a.elements().isPresent()
                ? facts.withElements(a.elements().get())
                : facts;
    }
}

package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.OperatorVersion.Attribute;
import io.github.cellfuse.onnx.OperatorVersion.Count;
import io.github.cellfuse.onnx.OperatorVersion.Formal;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Checks the nodes of a graph and its subgraphs against the definitions of ONNX's operators: the numbers of inputs and
 * outputs, the attributes, and the element types as far as they follow from declarations and constants. The readers of
 * nodes rely on it: a node has the inputs, outputs and attributes that its operator requires.
 *
 * <p>Operators of other domains, and those that ONNX Runtime adds to ONNX's own, aren't checked.
 */
final class OperatorCheck {
    private final long opset;
    private final Set<String> domains = new HashSet<>();

    private OperatorCheck(ModelProto model, long opset) {
        this.opset = opset;
        model.getOpsetImportList().forEach(imported -> domains.add(imported.getDomain()));
    }

    /**
     * Checks a graph.
     *
     * @param file the file's name in messages
     * @param model the model, with its nodes in an executable order
     * @param opset the opset version of the default domain
     * @throws InvalidInputException when a node isn't what its operator's definition demands; the message names it
     */
    static void check(Object file, ModelProto model, long opset) {
        new OperatorCheck(model, opset).check(file, model.getGraph(), new ValueTypes(Optional.empty()));
    }

    /** Checks a graph, and adds the types of its values to {@code types}. */
    private void check(Object file, GraphProto graph, ValueTypes types) {
        types.declare(file, graph);
        for (OnnxNode node : OnnxNode.of(file, graph)) {
            Optional<OperatorVersion> operator =
                    OnnxNode.isDefaultDomain(node.proto().getDomain())
                            ? OperatorTable.find(node.proto().getOpType(), opset)
                            : Optional.empty();
            checkDomain(node);
            operator.ifPresent(version -> checkForm(node, version));
            checkSubgraphs(node, types);
            operator.ifPresent(version -> types.follow(node, version));
        }
        types.checkOutputs(file, graph);
    }

    private void checkDomain(OnnxNode node) {
        String domain = node.proto().getDomain();
        if (!OnnxNode.isDefaultDomain(domain) && !domains.contains(domain)) {
            throw node.invalid("domain " + Problems.quote(domain) + ": expected one that the model imports, found none"
                    + " of this name among its opset imports");
        }
    }

    private void checkSubgraphs(OnnxNode node, ValueTypes types) {
        for (AttributeProto attribute : node.proto().getAttributeList()) {
            for (GraphProto inner : Subgraphs.of(attribute)) {
                String where = node.file() + ": " + node.label() + ", " + attribute.getName();
                check(where, inner, new ValueTypes(Optional.of(types)));
            }
        }
    }

    private void checkForm(OnnxNode node, OperatorVersion version) {
        if (version.isDeprecated()) {
            throw node.invalid("expected an operator of opset " + opset + ", found one that opset " + version.since()
                    + " removed");
        }
        checkCount(node, "input", node.proto().getInputList(), version.inputs());
        checkCount(node, "output", node.proto().getOutputList(), version.outputs());
        Set<String> names = new HashSet<>();
        for (AttributeProto attribute : node.proto().getAttributeList()) {
            checkAttribute(node, attribute, version);
            if (!names.add(attribute.getName())) {
                throw node.invalid("attribute " + attribute.getName() + ": expected one of this name, found two");
            }
        }
        if (node.is("Constant") && names.size() != 1) {
            throw node.invalid("expected one attribute, the value, found " + names.size());
        }
        version.attributes().forEach((name, attribute) -> {
            if (attribute.isRequired() && !names.contains(name)) {
                throw node.invalid("expected an attribute " + name + ", found none");
            }
        });
    }

    private void checkCount(OnnxNode node, String what, List<String> found, List<Formal> formals) {
        int least = OperatorVersion.least(formals);
        boolean isOpen = isLater()
                || !formals.isEmpty() && formals.get(formals.size() - 1).isLast();
        if (found.size() < least || found.size() > formals.size() && !isOpen) {
            boolean isExact = !isOpen && least == formals.size();
            String expected = isOpen ? least + " or more" : isExact ? "" + least : least + " to " + formals.size();
            throw node.invalid("expected " + expected + " " + what + (isExact && least == 1 ? "" : "s") + ", found "
                    + found.size());
        }
        for (int k = 0; k < found.size(); k++) {
            boolean isInput = what.equals("input");
            Optional<Formal> formal = OperatorVersion.at(formals, k)
                    .filter(each -> each.count() == Count.ONE || isInput && each.count() == Count.REPEATED);
            if (formal.isPresent() && found.get(k).isEmpty()) {
                throw node.invalid(what + " " + formal.get().name() + ": expected a name, found an empty one");
            }
        }
    }

    private boolean isLater() {
        return opset > OperatorTable.newest();
    }

    private void checkAttribute(OnnxNode node, AttributeProto attribute, OperatorVersion version) {
        Attribute known = version.attributes().get(attribute.getName());
        if (known == null) {
            if (!isLater()) {
                throw node.invalid("attribute " + Problems.quote(attribute.getName()) + ": expected one of opset "
                        + opset + ", found an unknown attribute");
            }
            return;
        }
        AttributeType found = attribute.getType();
        // Models of the first format version don't declare the type.
        if (known.type().isPresent()
                && found != AttributeType.UNDEFINED
                && found != known.type().get()) {
            throw node.invalid("attribute " + attribute.getName() + ": expected type "
                    + known.type().get() + ", found " + found);
        }
    }
}

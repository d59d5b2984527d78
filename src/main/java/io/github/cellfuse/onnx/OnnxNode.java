package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A node with its label for messages. Immutable and thread safe.
 *
 * @param file the file that the node comes from, for messages
 * @param label such as {@code node 'encoder' (LSTM)}, or {@code node 3 (LSTM)} for a node without a name
 * @param proto the node itself
 */
public record OnnxNode(Object file, String label, NodeProto proto) {
    /** A longer operator name comes from a damaged file and would hide the rest of the message. */
    private static final int LONGEST_TYPE = 60;

    public OnnxNode {
        Objects.requireNonNull(label, "label");
        Objects.requireNonNull(proto, "proto");
    }

    /** Returns the node at {@code index} of its graph. */
    public static OnnxNode of(Object file, int index, NodeProto proto) {
        String name = proto.getName().isEmpty() ? Integer.toString(index) : Problems.quote(proto.getName());
        String type = proto.getOpType().isEmpty() ? "no operator" : proto.getOpType();
        type = type.length() > LONGEST_TYPE ? type.substring(0, LONGEST_TYPE) + "..." : type;
        return new OnnxNode(file, "node " + name + " (" + type + ")", proto);
    }

    /** Returns all nodes of a graph. */
    public static List<OnnxNode> of(Object file, GraphProto graph) {
        List<OnnxNode> nodes = new ArrayList<>(graph.getNodeCount());
        for (int index = 0; index < graph.getNodeCount(); index++) {
            nodes.add(of(file, index, graph.getNode(index)));
        }
        return nodes;
    }

    /** Returns whether {@code domain} is the domain of ONNX's own operators, which has two names. */
    public static boolean isDefaultDomain(String domain) {
        return domain.isEmpty() || domain.equals("ai.onnx");
    }

    /** Returns whether this node's operator is {@code type} of ONNX's own domain. */
    public boolean is(String type) {
        return proto.getOpType().equals(type) && isDefaultDomain(proto.getDomain());
    }

    /** Returns the name of input {@code k}, or nothing if the node doesn't have it. */
    public Optional<String> input(int k) {
        return k < proto.getInputCount()
                ? Optional.of(proto.getInput(k)).filter(name -> !name.isEmpty())
                : Optional.empty();
    }

    /** Returns the name of output {@code k}, or nothing if the node doesn't have it. */
    public Optional<String> output(int k) {
        return k < proto.getOutputCount()
                ? Optional.of(proto.getOutput(k)).filter(name -> !name.isEmpty())
                : Optional.empty();
    }

    /** Returns an integer attribute, or {@code otherwise} if it is missing. */
    public long integer(String name, long otherwise) {
        return attribute(name, AttributeType.INT).map(AttributeProto::getI).orElse(otherwise);
    }

    /** Returns a float attribute, or nothing if it is missing. */
    public Optional<Float> number(String name) {
        return attribute(name, AttributeType.FLOAT).map(AttributeProto::getF);
    }

    /** Returns a string attribute, or {@code otherwise} if it is missing. */
    public String text(String name, String otherwise) {
        return attribute(name, AttributeType.STRING)
                .map(a -> a.getS().toStringUtf8())
                .orElse(otherwise);
    }

    /** Returns an attribute with a list of integers, or nothing if it is missing. */
    public Optional<List<Long>> integers(String name) {
        return attribute(name, AttributeType.INTS).map(AttributeProto::getIntsList);
    }

    /** Returns an attribute with a list of floats, or an empty list if it is missing. */
    public List<Float> numbers(String name) {
        return attribute(name, AttributeType.FLOATS)
                .map(AttributeProto::getFloatsList)
                .orElse(List.of());
    }

    /** Returns an attribute with a list of strings, or an empty list if it is missing. */
    public List<String> texts(String name) {
        return attribute(name, AttributeType.STRINGS)
                .map(a -> a.getStringsList().stream().map(s -> s.toStringUtf8()).toList())
                .orElse(List.of());
    }

    /**
     * Returns an attribute, or nothing if it is missing.
     *
     * @throws InvalidInputException when the node has the attribute twice or with another type
     */
    public Optional<AttributeProto> attribute(String name, AttributeType type) {
        AttributeProto found = null;
        for (AttributeProto attribute : proto.getAttributeList()) {
            if (attribute.getName().equals(name)) {
                if (found != null) {
                    throw invalid("attribute " + name + ": expected one of this name, found two");
                }
                found = attribute;
            }
        }
        if (found == null) {
            return Optional.empty();
        }
        if (!found.getRefAttrName().isEmpty()) {
            throw invalid("attribute " + name + ": expected a value, found a reference to "
                    + Problems.quote(found.getRefAttrName()) + " of an enclosing function");
        }
        // Models of the first format version don't declare the type.
        if (found.getType() != type && found.getType() != AttributeType.UNDEFINED) {
            throw invalid("attribute " + name + ": expected type " + type + ", found " + found.getType());
        }
        return Optional.of(found);
    }

    /** Returns an exception whose message begins with the file and this node's label. */
    public InvalidInputException invalid(String what) {
        return Problems.invalid(file, label + ": " + what);
    }

    /** Returns the same exception with a cause. */
    public InvalidInputException invalid(String what, Throwable cause) {
        return Problems.invalid(file, label + ": " + what, cause);
    }

    @Override
    public String toString() {
        return label;
    }
}

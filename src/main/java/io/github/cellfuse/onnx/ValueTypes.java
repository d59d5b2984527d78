package io.github.cellfuse.onnx;

import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.OperatorVersion.Count;
import io.github.cellfuse.onnx.OperatorVersion.Formal;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The types of a graph's values, as far as they follow from its inputs and constants. A type is written as in the
 * specification, such as {@code tensor(float)}; only tensors have one here. Not thread safe.
 */
final class ValueTypes {
    /** The names of the types by their numbers in the format. */
    private static final String[] NAMES = {
        null,
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
        "float8e4m3fn",
        "float8e4m3fnuz",
        "float8e5m2",
        "float8e5m2fnuz",
        "uint4",
        "int4",
        "float4e2m1",
        "float8e8m0",
        "uint2",
        "int2"
    };

    private final Optional<ValueTypes> outer;
    private final Map<String, String> types = new HashMap<>();

    /** Makes the types of a graph of which nothing is known yet, inside a graph with the types {@code outer}. */
    ValueTypes(Optional<ValueTypes> outer) {
        this.outer = outer;
    }

    private static Optional<String> name(long code) {
        return code > 0 && code < NAMES.length ? Optional.of("tensor(" + NAMES[(int) code] + ")") : Optional.empty();
    }

    private static Optional<String> declared(ValueInfoProto value) {
        return name(value.getType().getTensorType().getElemType());
    }

    private Optional<String> find(String name) {
        String found = types.get(name);
        return found != null ? Optional.of(found) : outer.flatMap(around -> around.find(name));
    }

    /** Adds the types of a graph's inputs and initializers. */
    void declare(Object file, GraphProto graph) {
        for (ValueInfoProto input : graph.getInputList()) {
            declared(input).ifPresent(type -> types.put(input.getName(), type));
        }
        for (TensorProto initializer : graph.getInitializerList()) {
            name(initializer.getDataType()).ifPresent(type -> {
                String declared = types.put(initializer.getName(), type);
                if (declared != null && !declared.equals(type)) {
                    throw Problems.invalid(
                            file,
                            "initializer " + Problems.quote(initializer.getName()) + ": expected the type of the input"
                                    + " of this name, " + declared + ", found " + type);
                }
            });
        }
    }

    /** Checks the types of a node's inputs, and adds those of its outputs. */
    void follow(OnnxNode node, OperatorVersion operator) {
        Map<String, String> bound = new HashMap<>();
        for (int k = 0; k < node.proto().getInputCount(); k++) {
            Optional<String> type = node.input(k).flatMap(this::find);
            Optional<Formal> formal = OperatorVersion.at(operator.inputs(), k);
            if (type.isPresent() && formal.isPresent()) {
                checkInput(node, k, formal.get(), type.get(), operator, bound);
            }
        }
        for (int k = 0; k < node.proto().getOutputCount(); k++) {
            Optional<Formal> formal = OperatorVersion.at(operator.outputs(), k);
            if (formal.isPresent() && node.output(k).isPresent()) {
                String name = node.proto().getOutput(k);
                output(node, formal.get(), operator, bound).ifPresent(type -> types.put(name, type));
            }
        }
    }

    private static void checkInput(
            OnnxNode node, int k, Formal formal, String type, OperatorVersion operator, Map<String, String> bound) {
        String what =
                "input " + formal.name() + " (" + Problems.quote(node.proto().getInput(k)) + "): expected ";
        if (!operator.accepts(formal, type)) {
            Set<String> all = operator.types().getOrDefault(formal.type(), Set.of(formal.type()));
            throw node.invalid(what + String.join(" or ", all.stream().sorted().toList()) + ", found " + type);
        }
        if (operator.types().containsKey(formal.type()) && formal.count() != Count.MIXED) {
            String before = bound.putIfAbsent(formal.type(), type);
            if (before != null && !before.equals(type)) {
                throw node.invalid(what + before + " like the inputs before it, found " + type);
            }
        }
    }

    private static Optional<String> output(
            OnnxNode node, Formal formal, OperatorVersion operator, Map<String, String> bound) {
        Set<String> possible = operator.types().get(formal.type());
        if (possible == null) {
            return formal.type().startsWith("tensor(") ? Optional.of(formal.type()) : Optional.empty();
        }
        if (formal.count() == Count.MIXED) {
            return Optional.empty();
        }
        if (bound.containsKey(formal.type())) {
            return Optional.of(bound.get(formal.type()));
        }
        return switch (node.proto().getOpType()) {
            case "Cast" ->
                operator.since() < 6
                        ? Optional.empty()
                        : node.attribute("to", AttributeType.INT).flatMap(to -> name(to.getI()));
            case "Constant" -> Constants.value(node).flatMap(value -> name(value.getDataType()));
            case "ConstantOfShape" ->
                node.attribute("value", AttributeType.TENSOR)
                        .map(AttributeProto::getT)
                        .map(value -> name(value.getDataType()))
                        .orElse(name(TensorType.FLOAT.code()));
            default -> possible.size() == 1 ? Optional.of(possible.iterator().next()) : Optional.empty();
        };
    }

    /** Checks the declared types of a graph's outputs. */
    void checkOutputs(Object file, GraphProto graph) {
        for (ValueInfoProto output : graph.getOutputList()) {
            Optional<String> declared = declared(output), found = find(output.getName());
            if (declared.isPresent() && found.isPresent() && !declared.equals(found)) {
                throw Problems.invalid(
                        file,
                        "output " + Problems.quote(output.getName()) + ": expected the type that the graph computes, "
                                + found.get() + ", found " + declared.get());
            }
        }
    }
}

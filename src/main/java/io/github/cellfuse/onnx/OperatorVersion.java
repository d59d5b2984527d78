package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A version of one of ONNX's operators, as the specification defines it. Immutable and thread safe.
 *
 * @param since the opset that introduced it
 * @param isDeprecated whether models of this opset must not have the operator any longer
 * @param inputs the inputs, in order
 * @param outputs the outputs, in order
 * @param attributes the attributes by name
 * @param types for each type parameter, the types that it may be, such as {@code tensor(float)}
 */
record OperatorVersion(
        long since,
        boolean isDeprecated,
        List<Formal> inputs,
        List<Formal> outputs,
        Map<String, Attribute> attributes,
        Map<String, Set<String>> types) {

    /** How often an input or output may occur. */
    enum Count {
        ONE,
        OPTIONAL,
        /** Any number of times at the end, with one type. */
        REPEATED,
        /** Any number of times at the end, with different types. */
        MIXED
    }

    /**
     * An input or output.
     *
     * @param type a type, or the name of a type parameter
     * @param least the number of values that a node must have here: 0 or 1
     */
    record Formal(String name, Count count, String type, int least) {
        boolean isLast() {
            return count == Count.REPEATED || count == Count.MIXED;
        }
    }

    /** An attribute; without a type if the readers of models don't know it. */
    record Attribute(Optional<AttributeType> type, boolean isRequired) {}

    /** Returns the input or output at index {@code k}, or nothing if a node can't have as many. */
    static Optional<Formal> at(List<Formal> all, int k) {
        if (k < all.size()) {
            return Optional.of(all.get(k));
        }
        return all.isEmpty() || !all.get(all.size() - 1).isLast()
                ? Optional.empty()
                : Optional.of(all.get(all.size() - 1));
    }

    /** Returns the smallest number of inputs or outputs. */
    static int least(List<Formal> all) {
        int least = 0;
        for (int k = 0; k < all.size(); k++) {
            least = all.get(k).least() > 0 ? k + 1 : least;
        }
        return least;
    }

    /** Returns whether a value of this type may be of the formal type, a type or the name of a type parameter. */
    boolean accepts(Formal formal, String type) {
        return types.getOrDefault(formal.type(), Set.of(formal.type())).contains(type);
    }
}

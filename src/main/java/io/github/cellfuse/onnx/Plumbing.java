package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The nodes that exporters put around LSTMs. Their output has the same number of elements as their first input, in
 * another arrangement or type at most.
 */
final class Plumbing {
    private static final Set<String> OPERATORS =
            Set.of("Squeeze", "Unsqueeze", "Transpose", "Reshape", "Flatten", "Identity", "Dropout", "Cast");

    /** More dimensions than any tensor has. */
    private static final int MOST_AXES = 64;

    /** Above it, not every whole number has its own float32. */
    private static final float LARGEST_WHOLE = 1 << 24;

    private Plumbing() {}

    static boolean isPlumbing(OnnxNode node) {
        return OPERATORS.contains(node.proto().getOpType())
                && OnnxNode.isDefaultDomain(node.proto().getDomain());
    }

    /** Returns whether a Dropout is in inference mode and passes its input through. */
    static boolean isInference(OnnxNode node, long opset, Constants constants, OnnxTensors tensors) {
        if (opset < 7) {
            return node.integer("is_test", 0) != 0;
        }
        return node.input(2)
                .map(training -> constants
                        .find(training)
                        .flatMap(tensor -> integers(tensor, tensors))
                        .filter(values -> values.length == 1 && values[0] == 0)
                        .isPresent())
                .orElse(true);
    }

    /**
     * Returns the axes of a Squeeze or Unsqueeze: an attribute, or (from opset 13 on) an input, which must be constant.
     */
    static Optional<long[]> axes(OnnxNode node, Constants constants, OnnxTensors tensors) {
        Optional<long[]> axes = node.input(1).isPresent()
                ? node.input(1).flatMap(constants::find).flatMap(tensor -> integers(tensor, tensors))
                : array(node.integers("axes"));
        return axes.filter(list -> list.length <= MOST_AXES);
    }

    static Optional<long[]> array(Optional<List<Long>> list) {
        return list.map(values -> values.stream().mapToLong(Long::longValue).toArray());
    }

    /** Returns the values of a tensor of integers, or nothing for another type. */
    static Optional<long[]> integers(TensorProto tensor, OnnxTensors tensors) {
        return TensorType.of(tensor.getDataType()).filter(TensorType::isInteger).map(type -> tensors.longs(tensor));
    }

    /**
     * Returns the values of a tensor of integers, or of floats that are whole numbers, which older exporters cast to
     * integers in the graph.
     */
    static Optional<long[]> wholeNumbers(TensorProto tensor, OnnxTensors tensors) {
        Optional<TensorType> type = TensorType.of(tensor.getDataType());
        if (type.filter(TensorType::isFloat).isEmpty()) {
            return integers(tensor, tensors);
        }
        float[] floats = tensors.floats(tensor);
        long[] whole = new long[floats.length];
        for (int k = 0; k < floats.length; k++) {
            whole[k] = (long) floats[k];
            if (whole[k] != floats[k] || Math.abs(floats[k]) > LARGEST_WHOLE) {
                return Optional.empty();
            }
        }
        return Optional.of(whole);
    }
}

package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds values that are +0 everywhere, for all inputs. Exporters compute an LSTM's initial states this way, because
 * their size depends on the batch.
 */
final class Zeros {
    /** The longest path of nodes to follow. */
    private static final int DEEPEST = 64;

    /** The operators whose output contains only elements of their first input. */
    private static final Set<String> KEEPING = Set.of(
            "Squeeze",
            "Unsqueeze",
            "Transpose",
            "Reshape",
            "Flatten",
            "Identity",
            "Cast",
            "Slice",
            "Split",
            "Gather",
            "Expand",
            "Tile");

    private final GraphIndex graph;
    private final Constants constants;
    private final OnnxTensors tensors;
    /** Whether a constant is all zeros: many LSTMs may share it. */
    private final Map<TensorProto, Boolean> known = new IdentityHashMap<>();

    Zeros(GraphIndex graph, Constants constants, OnnxTensors tensors) {
        this.graph = graph;
        this.constants = constants;
        this.tensors = tensors;
    }

    boolean isZero(String name) {
        return isZero(name, 0);
    }

    private boolean isZero(String name, int depth) {
        Optional<TensorProto> constant = constants.find(name);
        if (constant.isPresent()) {
            return isZero(constant.get());
        }
        Optional<OnnxNode> producer = graph.producer(name);
        if (producer.isEmpty() || depth > DEEPEST) {
            return false;
        }
        OnnxNode node = producer.get();
        if (node.is("ConstantOfShape")) {
            return node.attribute("value", AttributeType.TENSOR)
                    .map(value -> isZero(value.getT()))
                    .orElse(true);
        }
        if (node.is("ConstantFill")) {
            // PyTorch's exporter writes it for opsets below 9, although no released ONNX version has the operator.
            return Float.floatToRawIntBits(node.number("value").orElse(0f)) == 0;
        }
        boolean isKeeping = KEEPING.contains(node.proto().getOpType())
                && OnnxNode.isDefaultDomain(node.proto().getDomain());
        return isKeeping && node.input(0).map(input -> isZero(input, depth + 1)).orElse(false);
    }

    private boolean isZero(TensorProto tensor) {
        return known.computeIfAbsent(tensor, this::areZeros);
    }

    private boolean areZeros(TensorProto tensor) {
        return TensorType.of(tensor.getDataType()).isPresent()
                && tensors.values(tensor).isZero();
    }
}

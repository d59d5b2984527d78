package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.Optional;
import java.util.Set;

/** Which values are +0 throughout, whatever the inputs are: exporters build an LSTM's initial states so, in the size of the batch. */
final class Zeros {
    /** Nodes in a row. */
    private static final int DEEPEST = 64;

    /** They give elements of their first input and no others. */
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
            // What PyTorch's exporter writes before opset 9, though no released ONNX has the operator.
            return Float.floatToRawIntBits(node.number("value").orElse(0f)) == 0;
        }
        boolean isKeeping = KEEPING.contains(node.proto().getOpType())
                && OnnxNode.isDefaultDomain(node.proto().getDomain());
        return isKeeping && node.input(0).map(input -> isZero(input, depth + 1)).orElse(false);
    }

    private boolean isZero(TensorProto tensor) {
        return TensorType.of(tensor.getDataType()).isPresent()
                && tensors.values(tensor).isZero();
    }
}

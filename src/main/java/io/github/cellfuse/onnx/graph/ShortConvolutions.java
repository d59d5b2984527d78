package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Replaces convolutions that have few positions by matrix products. For many rows ONNX Runtime computes these several
 * times as fast: it multiplies the weights with all rows at once, on all cores, while a convolution goes from row to
 * row.
 *
 * <pre>
 *   x [N,C,L] ──► Pad ──┬─► Slice, Reshape [N,C·K] ──► Gemm [N,M] ──┬─► Concat, Reshape [N,M,positions]
 *                       └─► ... for each position                  ─┘
 * </pre>
 */
final class ShortConvolutions {
    /** The most positions: each takes a product of its own. */
    private static final long MOST_POSITIONS = 8;

    /** The first opset version in which the pads of Pad are an input. */
    private static final long PADS_ARE_INPUTS = 11;

    private final WorkingGraph graph;
    private final OnnxNode conv;
    private final TensorProto weights;
    private final List<NodeProto> nodes = new ArrayList<>();

    private ShortConvolutions(WorkingGraph graph, OnnxNode conv, TensorProto weights) {
        this.graph = graph;
        this.conv = conv;
        this.weights = weights;
    }

    /**
     * Returns nodes that compute the output of a node: its products, or the node itself if it isn't a convolution with
     * few positions.
     *
     * @param x the dimensions of the node's first input; -1 for those of any size
     */
    static List<NodeProto> replaced(NodeProto node, Optional<long[]> x, WorkingGraph graph) {
        OnnxNode conv = OnnxNode.of(graph.path(), 0, node);
        Optional<TensorProto> weights = conv.is("Conv") ? conv.input(1).flatMap(graph::find) : Optional.empty();
        boolean isPlain =
                weights.filter(w -> w.getDimsCount() == 3 && w.getDataType() == TensorProto.DataType.FLOAT_VALUE)
                                .isPresent()
                        && x.filter(shape -> shape.length == 3 && shape[2] > 0).isPresent()
                        && graph.opset() >= PADS_ARE_INPUTS
                        && conv.integer("group", 1) == 1
                        && conv.text("auto_pad", "NOTSET").equals("NOTSET")
                        && conv.integers("dilations").orElse(List.of(1L)).equals(List.of(1L))
                        && x.get()[1] == weights.get().getDims(1);
        return isPlain ? new ShortConvolutions(graph, conv, weights.get()).products(x.get()[2]) : List.of(node);
    }

    private List<NodeProto> products(long length) {
        long filters = weights.getDims(0), channels = weights.getDims(1), kernel = weights.getDims(2);
        List<Long> pads = conv.integers("pads").orElse(List.of(0L, 0L));
        long stride = conv.integers("strides").orElse(List.of(1L)).get(0);
        long padded = length + pads.get(0) + pads.get(1);
        long positions = padded < kernel || stride < 1 ? 0 : (padded - kernel) / stride + 1;
        if (positions < 1 || positions > MOST_POSITIONS) {
            return List.of(conv.proto());
        }
        String x = conv.input(0).orElseThrow();
        if (padded != length) {
            x = add("Pad", "padded", List.of(x, longs(0, 0, pads.get(0), 0, 0, pads.get(1))));
        }
        String flat = graph.freshName("weights");
        graph.define(
                flat,
                weights.toBuilder()
                        .clearDims()
                        .addDims(filters)
                        .addDims(channels * kernel)
                        .build());
        String row = longs(-1, channels * kernel), column = longs(-1, filters, 1);
        List<String> columns = new ArrayList<>();
        for (long position = 0; position < positions; position++) {
            long first = position * stride;
            String window = add("Slice", "window", List.of(x, longs(first), longs(first + kernel), longs(2)));
            List<String> factors = new ArrayList<>(List.of(add("Reshape", "row", List.of(window, row)), flat));
            conv.input(2).ifPresent(factors::add);
            String product = add("Gemm", "product", factors, attribute("transB", 1));
            columns.add(add("Reshape", "column", List.of(product, column)));
        }
        nodes.add(node("Concat", conv.proto().getOutput(0), columns, attribute("axis", 2)));
        return nodes;
    }

    private String longs(long... values) {
        String name = graph.freshName("numbers");
        graph.define(name, RuntimeFolding.toProto(Tensor.of(values, values.length)));
        return name;
    }

    private String add(String operator, String name, List<String> inputs, AttributeProto... attributes) {
        String output = graph.freshName(name);
        nodes.add(node(operator, output, inputs, attributes));
        return output;
    }

    private static NodeProto node(String operator, String output, List<String> inputs, AttributeProto... attributes) {
        return NodeProto.newBuilder()
                .setOpType(operator)
                .addAllInput(inputs)
                .addOutput(output)
                .addAllAttribute(List.of(attributes))
                .build();
    }

    private static AttributeProto attribute(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.INT)
                .setI(value)
                .build();
    }
}

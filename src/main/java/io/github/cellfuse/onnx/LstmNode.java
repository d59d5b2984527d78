package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A node of ONNX's operator LSTM, versions 1, 7, 14 and 22, with constant weights. With {@link Layout#TIME_MAJOR} (the
 * operator's {@code layout} 0), X is {@code [T,N,I]}, Y is {@code [T,D,N,H]} and a state is {@code [D,N,H]}. With
 * {@link Layout#BATCH_MAJOR} ({@code layout} 1), X is {@code [N,T,I]}, Y is {@code [N,T,D,H]} and a state is
 * {@code [N,D,H]}. Immutable and thread safe.
 *
 * @param node the node itself
 * @param layer its weights and equations: gates in CellFuse's order, two separate biases, float32 for all element types
 * @param elementType the model's element type, a {@link TensorProto.DataType} of floats
 * @param layout the layout of X, Y and the states
 * @param x the name of X
 * @param sequenceLens the name of the lengths {@code [N]}, if given
 * @param initialH the name of the initial hidden states, if given
 * @param initialC the name of the initial cell states, if given
 * @param y the name of the hidden states of all steps, if the node outputs them
 * @param yH the name of the final hidden states, if the node outputs them
 * @param yC the name of the final cell states, if the node outputs them
 */
public record LstmNode(
        OnnxNode node,
        LstmLayer layer,
        int elementType,
        Layout layout,
        String x,
        Optional<String> sequenceLens,
        Optional<String> initialH,
        Optional<String> initialC,
        Optional<String> y,
        Optional<String> yH,
        Optional<String> yC) {
    private static final int X = 0, W = 1, R = 2, B = 3, LENGTHS = 4, INITIAL_H = 5, INITIAL_C = 6, P = 7;
    private static final int INPUTS = 8, OUTPUTS = 3;

    /**
     * Reads a node.
     *
     * @param opset the opset version of the default domain
     * @param constants the graph's constants, including the node's weights
     * @throws InvalidInputException when the attributes contradict each other or the weights' shapes, or a weight isn't
     *     constant
     */
    public static LstmNode of(OnnxNode node, long opset, Constants constants, OnnxTensors tensors) {
        return of(node, opset, constants, tensors, new SharedWeights());
    }

    /** Reads a node, which shares weights with the nodes that were read before with the same {@code shared}. */
    static LstmNode of(OnnxNode node, long opset, Constants constants, OnnxTensors tensors, SharedWeights shared) {
        if (!node.is("LSTM")) {
            throw node.invalid("expected ONNX's operator LSTM, found another");
        }
        if (node.proto().getInputCount() > INPUTS || node.proto().getOutputCount() > OUTPUTS) {
            throw node.invalid("expected at most " + INPUTS + " inputs and " + OUTPUTS + " outputs, found "
                    + node.proto().getInputCount() + " and " + node.proto().getOutputCount());
        }
        String x = node.input(X).orElseThrow(() -> node.invalid("expected an input X, found none"));
        LstmAttributes attributes = LstmAttributes.of(node, opset);
        Weights weights = new Weights(node, attributes, constants, tensors, shared);
        return new LstmNode(
                node,
                weights.layer(),
                weights.elementType(),
                attributes.layout(),
                x,
                node.input(LENGTHS),
                node.input(INITIAL_H),
                node.input(INITIAL_C),
                node.output(0),
                node.output(1),
                node.output(2));
    }

    /**
     * Returns the first of the node's weights W, R, B and P that isn't constant. A node with such a weight can't be
     * read.
     */
    public static Optional<String> variableWeight(OnnxNode node, Constants constants) {
        for (int k : new int[] {W, R, B, P}) {
            Optional<String> name = node.input(k);
            if (name.isPresent() && constants.find(name.get()).isEmpty()) {
                return name;
            }
        }
        return Optional.empty();
    }

    /** Returns the node without the initial hidden states if {@code h}, and without the cell states if {@code c}. */
    LstmNode withoutInitialStates(boolean h, boolean c) {
        return new LstmNode(
                node,
                layer,
                elementType,
                layout,
                x,
                sequenceLens,
                h ? Optional.empty() : initialH,
                c ? Optional.empty() : initialC,
                y,
                yH,
                yC);
    }

    /** Returns the node's label. */
    @Override
    public String toString() {
        return node.label();
    }

    /** Reads the constant inputs and checks their shapes against each other. */
    private static final class Weights {
        private final OnnxNode node;
        private final LstmAttributes attributes;
        private final Constants constants;
        private final OnnxTensors tensors;
        private final SharedWeights shared;
        private final int directions;
        private final TensorProto w, r;
        private final int inputSize, hiddenSize;

        Weights(
                OnnxNode node,
                LstmAttributes attributes,
                Constants constants,
                OnnxTensors tensors,
                SharedWeights shared) {
            this.shared = shared;
            this.node = node;
            this.attributes = attributes;
            this.constants = constants;
            this.tensors = tensors;
            directions = attributes.direction().count();
            w = required(W, "W");
            r = required(R, "R");
            long size = columns("R [D,4H,H]", r), inputs = columns("W [D,4H,I]", w);
            if (attributes.hiddenSize() != 0 && size != attributes.hiddenSize()) {
                throw node.invalid("attribute hidden_size: expected " + size + " to match R "
                        + Problems.shape(tensors.shape(r)) + ", found " + attributes.hiddenSize());
            }
            checkShape("R [D,4H,H]", r, directions, LstmWeights.GATES * size, size);
            checkShape("W [D,4H,I]", w, directions, LstmWeights.GATES * size, inputs);
            hiddenSize = (int) size;
            inputSize = (int) inputs;
        }

        /** Returns the last of the three dimensions. */
        private long columns(String what, TensorProto tensor) {
            long[] shape = tensors.shape(tensor);
            if (shape.length != 3 || shape[2] < 1 || shape[2] > Integer.MAX_VALUE) {
                throw node.invalid(what + ": expected three dimensions, found shape " + Problems.shape(shape));
            }
            return shape[2];
        }

        int elementType() {
            return w.getDataType();
        }

        LstmLayer layer() {
            int gates = LstmWeights.GATES;
            Optional<TensorProto> b = optional(B, "B"), p = optional(P, "P");
            b.ifPresent(tensor -> checkShape("B [D,8H]", tensor, directions, 2L * gates * hiddenSize));
            p.ifPresent(
                    tensor -> checkShape("P [D,3H]", tensor, directions, (long) LstmWeights.PEEPHOLES * hiddenSize));
            for (Optional<TensorProto> tensor : List.of(Optional.of(w), Optional.of(r), b, p)) {
                tensor.ifPresent(this::checkType);
            }
            return shared.layer(attributes, List.of(Optional.of(w), Optional.of(r), b, p), () -> read(b, p));
        }

        private LstmLayer read(Optional<TensorProto> b, Optional<TensorProto> p) {
            int gates = LstmWeights.GATES;
            List<LstmWeights> all = new ArrayList<>();
            for (int d = 0; d < directions; d++) {
                int bias = 2 * d * gates * hiddenSize, peephole = d * LstmWeights.PEEPHOLES * hiddenSize;
                LstmWeights.Builder weights = LstmWeights.builder(inputSize, hiddenSize)
                        .input(gates(w, "W", d * gates * hiddenSize * inputSize, hiddenSize * inputSize))
                        .recurrent(gates(r, "R", d * gates * hiddenSize * hiddenSize, hiddenSize * hiddenSize))
                        .equations(attributes.equations().get(d));
                b.ifPresent(v -> weights.inputBias(gates(v, "B", bias, hiddenSize))
                        .recurrentBias(gates(v, "B", bias + gates * hiddenSize, hiddenSize)));
                p.ifPresent(v -> weights.peepholes(shared.array(
                        v, "P", peephole, () -> GateOrder.peepholes(tensors.floatValues(v), peephole, hiddenSize))));
                all.add(weights.build());
            }
            return new LstmLayer(attributes.direction(), all);
        }

        private float[] gates(TensorProto tensor, String kind, int first, int block) {
            return shared.array(tensor, kind, first, () -> GateOrder.gates(tensors.floatValues(tensor), first, block));
        }

        private TensorProto required(int k, String what) {
            return optional(k, what).orElseThrow(() -> node.invalid("expected an input " + what + ", found none"));
        }

        private Optional<TensorProto> optional(int k, String what) {
            return node.input(k)
                    .map(name -> constants
                            .find(name)
                            .orElseThrow(() -> node.invalid(what + ": expected constant weights, found computed "
                                    + "weights " + Problems.quote(name))));
        }

        private void checkType(TensorProto tensor) {
            if (TensorType.of(tensor.getDataType()).filter(TensorType::isFloat).isEmpty()) {
                throw node.invalid("expected weights of FLOAT, FLOAT16, BFLOAT16 or DOUBLE, found " + typeName(tensor));
            }
            if (tensor.getDataType() != w.getDataType()) {
                throw node.invalid("expected weights of one type, found " + typeName(w) + " and " + typeName(tensor));
            }
        }

        private static String typeName(TensorProto tensor) {
            return TensorType.of(tensor.getDataType()).map(TensorType::name).orElse("type " + tensor.getDataType());
        }

        private void checkShape(String what, TensorProto tensor, long... expected) {
            long[] found = tensors.shape(tensor);
            if (!Arrays.equals(expected, found)) {
                throw node.invalid(
                        what + ": expected shape " + Problems.shape(expected) + ", found " + Problems.shape(found));
            }
        }
    }
}

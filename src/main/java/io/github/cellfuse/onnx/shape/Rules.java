package io.github.cellfuse.onnx.shape;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rule of each operator: what it does to shapes, and through which of its axes the rows of a batch pass without
 * touching each other. An operator without a rule ends the proof as soon as it sees rows.
 */
final class Rules {
    private static final Map<String, Entry> TABLE = new HashMap<>();
    private static final int[] NONE = {};
    private static final int[] ALL = {0, 1, 2, 3, 4, 5, 6, 7};

    /**
     * A rule, and the inputs that may be sizes that depend on the number of rows.
     *
     * @param numbers the inputs that the node computes with: its output is then followed as numbers as well
     * @param sizes the inputs that only determine the shape of the output
     */
    record Entry(Rule rule, int[] numbers, int[] sizes) {
        boolean computesWith(int input) {
            return contains(numbers, input);
        }

        boolean takes(int input) {
            return contains(numbers, input) || contains(sizes, input);
        }

        private static boolean contains(int[] all, int input) {
            return Arrays.stream(all).anyMatch(k -> k == input || all.length == ALL.length && input >= ALL.length);
        }
    }

    static {
        // One element of the output for one element of the input.
        data(ElementRules::unary, """
                Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Clip Cos Cosh Elu Erf Exp Gelu
                HardSigmoid HardSwish IsInf IsNaN LeakyRelu Log Mish Reciprocal Relu Round Selu Shrink
                Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu
                ai.onnx.ml:LabelEncoder com.microsoft:Gelu com.microsoft:QuickGelu""");
        numbers(ElementRules::identity, "Identity");
        numbers(ElementRules::round, "Ceil Floor");
        numbers(ElementRules::cast, "Cast");
        data(ElementRules::dropout, "Dropout");
        numbers(ElementRules::broadcast, """
                Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less
                LessOrEqual Max Mean Min Mod Mul Neg Not Or Pow Sub Sum Where Xor com.microsoft:BiasGelu
                com.microsoft:FastGelu""");
        data(ElementRules::slope, "PRelu");
        data(ElementRules::quantize, "DequantizeLinear QuantizeLinear");

        // The same elements in another shape.
        numbers(ShapeRules::transpose, "Transpose");
        numbers(ShapeRules::squeeze, "Squeeze");
        numbers(ShapeRules::unsqueeze, "Unsqueeze");
        put("Reshape", ShapeRules::reshape, new int[] {0}, new int[] {1});
        data(ShapeRules::flatten, "Flatten");
        put("Expand", ShapeRules::expand, NONE, new int[] {1});
        put("Tile", ShapeRules::tile, NONE, new int[] {1});
        put("ConstantOfShape", ShapeRules::constantOfShape, NONE, new int[] {0});
        put("Shape", ShapeRules::shape, NONE, new int[] {0});
        put("Size", ShapeRules::size, NONE, new int[] {0});

        // Some of the elements, or those of several values.
        put("Slice", SelectionRules::slice, new int[] {0}, new int[] {1, 2});
        numbers(SelectionRules::gather, "Gather");
        data(SelectionRules::gatherElements, "GatherElements");
        numbers(SelectionRules::concat, "Concat");
        data(SelectionRules::split, "Split");
        data(SelectionRules::pad, "Pad");
        data(SelectionRules::oneHot, "OneHot");
        data(SelectionRules::reverseSequence, "ReverseSequence");
        data(SelectionRules::matrices, "Trilu");
        data(SelectionRules::images, "DepthToSpace SpaceToDepth");
        put("Range", SelectionRules::range, NONE, new int[] {0, 1, 2});

        // Along some axes, which must not be that of the rows.
        data(AxisRules::reduce, """
                ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceSum
                ReduceSumSquare""");
        numbers(AxisRules::reduce, "ReduceProd");
        data(AxisRules::argument, "ArgMax ArgMin");
        data(AxisRules::softmax, "Hardmax LogSoftmax Softmax");
        data(AxisRules::alongAxis, "CumSum LpNormalization");
        put("TopK", AxisRules::topK, NONE, new int[] {1});
        data(AxisRules::layerNormalization, "LayerNormalization RMSNormalization");
        data(AxisRules::batchNormalization, "BatchNormalization");
        data(AxisRules::eachItem, "GroupNormalization InstanceNormalization LRN");
        data(AxisRules::meanVariance, "MeanVarianceNormalization");

        // Sums of products.
        data(ProductRules::matMul, "MatMul");
        data(ProductRules::matMulInteger, "MatMulInteger");
        data(ProductRules::quantizedMatMul, "QLinearMatMul");
        data(ProductRules::gemm, "Gemm");
        data(ProductRules::conv, "Conv ConvInteger");
        data(ProductRules::quantizedConv, "QLinearConv");
        data(ProductRules::convTranspose, "ConvTranspose");
        data(ProductRules::pool, "AveragePool LpPool MaxPool");
        data(ProductRules::globalPool, "GlobalAveragePool GlobalLpPool GlobalMaxPool");
        data(RecurrentRules::lstm, "LSTM");
        data(RecurrentRules::gru, "GRU");
        data(RecurrentRules::rnn, "RNN");

        // What mixes rows for certain gets a better reason than an operator without a rule.
        data(mixing("scales all rows by one number that is computed from all of them"), "DynamicQuantizeLinear");
        data(
                mixing("quantizes all rows with one scale that is computed from all of them"),
                "com.microsoft:DynamicQuantizeLSTM com.microsoft:DynamicQuantizeMatMul");
        data(mixing("selects elements by their values, so the rows have different sizes"), "Compress NonZero Unique");
        data(mixing("repeats a body of nodes, in which rows can't be followed"), "Loop Scan");
    }

    private Rules() {}

    /** Adds rules of operators that compute with data only. */
    private static void data(Rule rule, String operators) {
        for (String operator : operators.split("\\s+")) {
            put(operator, rule, NONE, NONE);
        }
    }

    /** Adds rules of operators that also compute with sizes. */
    private static void numbers(Rule rule, String operators) {
        for (String operator : operators.split("\\s+")) {
            put(operator, rule, ALL, NONE);
        }
    }

    private static void put(String operator, Rule rule, int[] numbers, int[] sizes) {
        if (TABLE.put(operator, new Entry(rule, numbers, sizes)) != null) {
            throw new IllegalStateException("two rules for " + operator);
        }
    }

    private static Rule mixing(String what) {
        return op -> {
            if (op.hasRows()) {
                throw op.ended(what);
            }
            return List.of(TensorFacts.UNKNOWN);
        };
    }

    /**
     * Returns the rule of an operator.
     *
     * @param operator its name, after {@code DOMAIN:} if it isn't one of ONNX's own
     */
    static Optional<Entry> of(String operator) {
        return Optional.ofNullable(TABLE.get(operator));
    }

    /** Returns the names of all operators that have a rule. */
    static List<String> operators() {
        return TABLE.keySet().stream().sorted().toList();
    }
}

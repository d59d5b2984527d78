package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Cases of operators that compute along some axes, and of those that mix all rows. */
final class AxisCases {
    /** The operators that have a rule only for its reason. */
    static final Set<String> MIXING = Set.of(
            "Compress",
            "DynamicQuantizeLinear",
            "Loop",
            "NonZero",
            "Scan",
            "Unique",
            "com.microsoft:DynamicQuantizeLSTM",
            "com.microsoft:DynamicQuantizeMatMul");

    private static final String ALONG = "y: computes along the axis of the rows";
    private static final String REDUCES = "y: reduces along the axis of the rows";
    private static final String NORMALIZES = "y: normalizes over the rows";
    private static final String SCALES = "y: scales each row by a number of its own";

    private AxisCases() {}

    static List<RowCase> all() {
        List<RowCase> cases = new ArrayList<>(List.of(
                proves("CumSum", "x:N,4", "y = CumSum(x, 1)", "y:0"),
                proves("CumSum", "x:T,N", "y = CumSum(x, i32:-2) reverse=1 exclusive=1", "y:1"),
                mixes("CumSum", "x:N,4", "y = CumSum(x, 0)", "y:0", ALONG),
                mixes("CumSum", "x:4,N", "y = CumSum(x, [-1]) exclusive=1", "y:1", ALONG),
                refuses("CumSum", "x:N,4 a i64:", "y = CumSum(x, a)", "y:0", "y: computes along an axis that isn't"),
                proves("LpNormalization", "x:N,4", "y = LpNormalization(x)", "y:0"),
                proves("LpNormalization", "x:T,N", "y = LpNormalization(x) axis=0 p=1", "y:1"),
                mixes("LpNormalization", "x:3,N", "y = LpNormalization(x)", "y:1", ALONG),
                mixes("LpNormalization", "x:N,4", "y = LpNormalization(x) axis=-2", "y:0", ALONG),
                proves("TopK", "x:N,4", "y, z = TopK(x, [2])", "y:0 z i64:0"),
                proves("TopK", "x:4,N", "y, z = TopK(x, [2]) axis=-2 largest=0", "y:1 z i64:1"),
                proves("TopK", "x:N,4", "y, z = TopK(x) k=2", "y:0 z i64:0").at(9),
                mixes("TopK", "x:N,4", "y, z = TopK(x, [2]) axis=0", "y:0 z i64:0", "y: selects some of the rows"),
                mixes("TopK", "x:4,N", "y, z = TopK(x) k=2", "y:1 z i64:1", "y: selects some of the rows")
                        .at(9),
                mixes(
                        "TopK",
                        "x:N,9",
                        "s = Shape(x); n = Gather(s, [0]); y, z = TopK(x, n)",
                        "y:0 z i64:0",
                        "y: selects as many elements as there are rows"),
                proves("ArgMax", "x:N,4", "y = ArgMax(x) axis=1", "y i64:0"),
                proves("ArgMax", "x:T,N,4", "y = ArgMax(x) keepdims=0", "y i64:0"),
                proves("ArgMin", "x:T,N,4", "y = ArgMin(x) axis=-1 keepdims=0 select_last_index=1", "y i64:1"),
                mixes("ArgMax", "x:N,4", "y = ArgMax(x)", "y i64:0", REDUCES),
                mixes("ArgMin", "x:4,N", "y = ArgMin(x) axis=-1", "y i64:1", REDUCES),
                proves("LayerNormalization", "x:N,T,4", "y = LayerNormalization(x, {4}, {4})", "y:0"),
                proves("LayerNormalization", "x:N,3,4", "y = LayerNormalization(x, {3,4}) axis=1", "y:0"),
                proves("LayerNormalization", "x:3,N,4", "y = LayerNormalization(x, {4}) axis=-1", "y:1"),
                mixes("LayerNormalization", "x:3,N", "y = LayerNormalization(x, {})", "y:1", NORMALIZES),
                mixes("LayerNormalization", "x:3,N,4", "y = LayerNormalization(x, {4}) axis=1", "y:1", NORMALIZES),
                refuses("LayerNormalization", "x:N,4", "y = LayerNormalization(x, {6,4})", "y:0", SCALES),
                refuses(
                        "LayerNormalization",
                        "x:N,4",
                        "z, y = LayerNormalization(x, {4})",
                        "y:0",
                        "z: has an output in which the rows can't be followed"),
                proves("RMSNormalization", "x:N,T,4", "y = RMSNormalization(x, {4})", "y:0")
                        .at(23),
                mixes("RMSNormalization", "x:N,4", "y = RMSNormalization(x, {4}) axis=0", "y:0", NORMALIZES)
                        .at(23),
                proves("BatchNormalization", "x:N,3,T", "y = BatchNormalization(x, " + statistics(3) + ")", "y:0"),
                proves("BatchNormalization", "x:2,3,N", "y = BatchNormalization(x, " + statistics(3) + ")", "y:2"),
                proves("BatchNormalization", "x:N,3", "y = BatchNormalization(x, " + statistics(3) + ")", "y:0")
                        .at(9),
                mixes(
                        "BatchNormalization",
                        "x:N,3,4",
                        "y, m, v = BatchNormalization(x, " + statistics(3) + ") training_mode=1",
                        "y:0",
                        "y: normalizes over the rows, in training mode"),
                mixes(
                        "BatchNormalization",
                        "x:2,N,4",
                        "y = BatchNormalization(x, " + statistics(6) + ")",
                        "y:1",
                        SCALES),
                // The older forms: a mode that the number of outputs chooses, statistics of each element.
                refuses(
                                "BatchNormalization",
                                "x:N,3,4",
                                "y, m, v, a, b = BatchNormalization(x, " + statistics(3) + ")",
                                "y:0",
                                "y: normalizes over the rows, in training mode")
                        .at(9),
                refuses(
                                "BatchNormalization",
                                "x:2,3,N",
                                "y = BatchNormalization(x, {3,6}, {3,6}, {3,6}, {3,6}) spatial=0",
                                "y:2",
                                SCALES)
                        .at(7),
                refuses(
                                "BatchNormalization",
                                "x:N,3,4",
                                "y = BatchNormalization(x, " + statistics(3) + ")",
                                "y:0",
                                "y: normalizes over the rows, in training mode")
                        .at(6),
                proves("InstanceNormalization", "x:N,3,4", "y = InstanceNormalization(x, {3}, {3})", "y:0"),
                mixes("InstanceNormalization", "x:2,3,N", "y = InstanceNormalization(x, {3}, {3})", "y:2", NORMALIZES),
                proves("GroupNormalization", "x:N,4,5", "y = GroupNormalization(x, {4}, {4}) num_groups=2", "y:0")
                        .at(21),
                mixes(
                                "GroupNormalization",
                                "x:2,4,N",
                                "y = GroupNormalization(x, {4}, {4}) num_groups=2",
                                "y:2",
                                NORMALIZES)
                        .at(21),
                proves("LRN", "x:N,3,4,4", "y = LRN(x) size=3", "y:0"),
                mixes("LRN", "x:2,N,4,4", "z = Mul(x, 9.0); y = LRN(z) size=3 alpha=1.0", "y:1", NORMALIZES),
                proves("MeanVarianceNormalization", "x:T,N,4", "y = MeanVarianceNormalization(x) axes=[0,-1]", "y:1"),
                proves("MeanVarianceNormalization", "x:2,N,4,4", "y = MeanVarianceNormalization(x)", "y:1"),
                mixes("MeanVarianceNormalization", "x:N,3,4,4", "y = MeanVarianceNormalization(x)", "y:0", NORMALIZES),
                refuses(
                                "MeanVarianceNormalization",
                                "x:2,N,4,4",
                                "y = MeanVarianceNormalization(x) across_channels=1",
                                "y:1",
                                "y: normalizes over axes that weren't part of ONNX yet")
                        .at(8),
                mixes(
                        "DynamicQuantizeLinear",
                        "x:N,4",
                        "q, s, z = DynamicQuantizeLinear(x); y = DequantizeLinear(q, s, z)",
                        "y:0",
                        "q: scales all rows by one number"),
                mixes(
                        "com.microsoft:DynamicQuantizeMatMul",
                        "x:N,4",
                        "y = com.microsoft:DynamicQuantizeMatMul(x, u8{4,3}, 0.1, u8:100)",
                        "y:0",
                        "y: quantizes all rows with one scale"),
                mixes(
                        "com.microsoft:DynamicQuantizeLSTM",
                        "x:T,N,4",
                        "y = com.microsoft:DynamicQuantizeLSTM(x, i8{1,4,16}, i8{1,4,16}, , , , , , f32[0.01], i8[0],"
                                + " f32[0.01], i8[0]) hidden_size=4",
                        "y:2",
                        "y: quantizes all rows with one scale"),
                refuses(
                        "Loop",
                        "x:N,4",
                        "y = Loop(2, bool:1, x) body={c = Identity(bool:1); z = Tanh(x) => c, z}",
                        "y:0",
                        "y: repeats a body"),
                refuses(
                        "Scan",
                        "x:T,N",
                        "y = Scan(x) num_scan_inputs=1 body={z = Tanh(x) => z}",
                        "y:1",
                        "y: repeats a body")));
        for (String operator : List.of("Softmax", "LogSoftmax", "Hardmax")) {
            cases.addAll(softmax(operator));
        }
        for (String operator : List.of("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")) {
            cases.addAll(reduction("Reduce" + operator, 18));
        }
        cases.addAll(reduction("ReduceSum", 13));
        return cases;
    }

    private static String statistics(int channels) {
        String c = "{" + channels + "}";
        return c + ", " + c + ", " + c + ", f32[" + "1.5,".repeat(channels - 1) + "1.5]";
    }

    private static List<RowCase> softmax(String operator) {
        return List.of(
                proves(operator, "x:N,3,4", "y = " + operator + "(x)", "y:0"),
                proves(operator, "x:3,N,4", "y = " + operator + "(x) axis=0", "y:1"),
                proves(operator, "x:N,3,4", "y = " + operator + "(x) axis=1", "y:0")
                        .at(11),
                proves(operator, "x:3,N,4", "y = " + operator + "(x) axis=-1", "y:1")
                        .at(11),
                mixes(operator, "x:N,3,4", "y = " + operator + "(x) axis=-3", "y:0", ALONG),
                // Before opset 13 along all axes from this one on.
                mixes(operator, "x:3,N,4", "y = " + operator + "(x)", "y:1", ALONG)
                        .at(11),
                mixes(operator, "x:N,3,4", "y = " + operator + "(x) axis=0", "y:0", ALONG)
                        .at(7));
    }

    private static List<RowCase> reduction(String operator, long since) {
        String name = "y = " + operator;
        return List.of(
                proves(operator, "x:N,3,4", name + "(x) axes=[1,-1] keepdims=0", "y:0")
                        .at(since - 1),
                proves(operator, "x:3,N,4", name + "(x) axes=[0] keepdims=0", "y:0")
                        .at(since - 1),
                proves(operator, "x:T,N,4", name + "(x) axes=[2]", "y:1").at(9),
                proves(operator, "x:T,N,4", name + "(x, [0,2]) keepdims=0", "y:0")
                        .at(since),
                proves(operator, "x:N,3,4", name + "(x, [-1])", "y:0").at(since),
                proves(operator, "x:N,3,4", name + "(x) noop_with_empty_axes=1", "y:0")
                        .at(since),
                proves(operator, "x:N,3,4", name + "(x, []) noop_with_empty_axes=1", "y:0")
                        .at(since),
                mixes(operator, "x:N,3", name + "(x)", "y:0", REDUCES).at(since - 1),
                mixes(operator, "x:N,3", name + "(x)", "y:0", REDUCES).at(since),
                mixes(operator, "x:N,3", name + "(x, [])", "y:0", REDUCES).at(since),
                mixes(operator, "x:N,3", name + "(x, [-2])", "y:0", REDUCES).at(20),
                mixes(operator, "x:3,N", name + "(x) axes=[1]", "y:1", REDUCES).at(9));
    }
}

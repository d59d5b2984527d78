package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.ArrayList;
import java.util.List;

/** Cases of matrix products, convolutions, pools and recurrent layers. */
final class ProductCases {
    private static final String SUM = "y: adds up the rows";
    private static final String PAIRS = "y: combines each row with each other row";
    private static final String IMAGES = "y: computes across the axis of the rows";
    private static final String SCALES = "y: scales each row by a number of its own";

    private ProductCases() {}

    static List<RowCase> all() {
        List<RowCase> cases = new ArrayList<>();
        cases.addAll(matrices());
        cases.addAll(images());
        for (String operator : List.of("LSTM", "GRU", "RNN")) {
            cases.addAll(recurrent(operator));
        }
        return cases;
    }

    private static List<RowCase> matrices() {
        return List.of(
                proves("MatMul", "x:N,4", "y = MatMul(x, {4,3})", "y:0"),
                proves("MatMul", "x:N,T,4", "y = MatMul(x, {4,3})", "y:0"),
                proves("MatMul", "x:T,N,4", "y = MatMul(x, {4,3})", "y:1"),
                proves("MatMul", "x:N,3,4", "y = MatMul(x, {2,1,4,5})", "y:1"),
                proves("MatMul", "x:4,N", "y = MatMul({3,4}, x)", "y:1"),
                proves("MatMul", "x:4,N", "y = MatMul({4}, x)", "y:0"),
                proves("MatMul", "x:T,N,4", "y = MatMul(x, {4})", "y:1"),
                proves("MatMul", "x:N,4,3", "y = MatMul({4}, x)", "y:0"),
                // Attention: batches of rows on both sides.
                proves("MatMul", "x:N,T,4", "t = Transpose(x) perm=[0,2,1]; y = MatMul(x, t)", "y:0"),
                proves("MatMul", "x:2,N,T,4 z:N,4,T", "y = MatMul(x, z)", "y:1"),
                mixes("MatMul", "x:N,4", "t = Transpose(x); y = MatMul(x, t)", "y:0", PAIRS),
                mixes("MatMul", "x:N,4", "t = Transpose(x); y = MatMul(t, x)", "y:", SUM),
                mixes("MatMul", "x:N z:N,3", "y = MatMul(x, z)", "y:", SUM),
                mixes(
                        "MatMul",
                        "x:N,4",
                        "u = Unsqueeze(x, [2]); v = Unsqueeze(x, [1]); t = Unsqueeze(x, [0]);"
                                + " w = Transpose(t) perm=[0,2,1]; y = MatMul(v, w)",
                        "y:0",
                        PAIRS),
                refuses("MatMul", "x:N,3,4", "y = MatMul(x, {6,4,5})", "y:0", "y: combines rows with 'y.1'"),
                // A batch axis of unknown size may be 1 at run time, so it isn't the size of the product's.
                mixes(
                        "MatMul",
                        "x:N,3 z:U,3,3",
                        "m = MatMul(z, {2,3,3}); s = Shape(m); a = Gather(s, 0); r = Shape(z); b = Gather(r, 0);"
                                + " c = Equal(a, b); k = Shape(x); n = Gather(k, 0); e = Where(c, 7, n);"
                                + " f = Cast(e) to=1; y = Add(x, f)",
                        "y:0",
                        "y: computes with the number of rows"),
                proves("MatMulInteger", "x u8:N,4", "y = MatMulInteger(x, u8{4,3}, u8:7, u8:9)", "y i32:0"),
                proves("MatMulInteger", "x u8:4,N", "y = MatMulInteger(u8{3,4}, x)", "y i32:1"),
                mixes("MatMulInteger", "x u8:N,4", "t = Transpose(x); y = MatMulInteger(x, t)", "y i32:0", PAIRS),
                refuses("MatMulInteger", "x u8:N,4", "y = MatMulInteger(x, u8{4,3}, u8{6})", "y i32:0", SCALES),
                refuses("MatMulInteger", "x u8:4,N", "y = MatMulInteger(u8{3,4}, x, u8:1, u8{6})", "y i32:1", SCALES),
                proves(
                        "QLinearMatMul",
                        "x u8:N,4",
                        quantized("x, 0.1, u8:9, u8{4,3}, f32[0.1,0.2,0.3], u8[1,2,3]"),
                        "y u8:0"),
                proves("QLinearMatMul", "x u8:4,N", quantized("u8{3,4}, 0.1, u8:9, x, 0.1, u8:9"), "y u8:1"),
                mixes(
                        "QLinearMatMul",
                        "x u8:N,4",
                        "t = Transpose(x); " + quantized("x, 0.1, u8:9, t, 0.1, u8:9"),
                        "y u8:0",
                        PAIRS),
                refuses("QLinearMatMul", "x u8:4,N", quantized("u8{3,4}, 0.1, u8:9, x, {6}, u8{6}"), "y u8:1", SCALES),
                refuses("QLinearMatMul", "x u8:N,4", quantized("x, {6}, u8{6}, u8{4,3}, 0.1, u8:9"), "y u8:0", SCALES),
                proves("Gemm", "x:N,4", "y = Gemm(x, {4,3}, {3})", "y:0"),
                proves("Gemm", "x:N,4", "y = Gemm(x, {3,4}, {1,3}) transB=1 alpha=0.5", "y:0"),
                proves("Gemm", "x:4,N z:N,3", "y = Gemm(x, {4,3}, z) transA=1", "y:0"),
                proves("Gemm", "x:N,4", "y = Gemm(x, {4,3}, {}) beta=0.5", "y:0")
                        .at(9),
                mixes("Gemm", "x:N,4 z:N,3", "y = Gemm(x, z) transA=1", "y:", SUM),
                mixes("Gemm", "x:N,4", "y = Gemm(x, x) transB=1", "y:0", "y: takes its weights from the rows"),
                refuses("Gemm", "x:N,4", "y = Gemm(x, {4,3}, {6,3})", "y:0", "y: combines rows with 'y.2'"),
                refuses("Gemm", "x:N,4", "y = Gemm(x, {4,3}, {6,1})", "y:0", "y: combines rows with 'y.2'"));
    }

    private static String quantized(String operands) {
        return "y = QLinearMatMul(" + operands + ", 0.2, u8:100)";
    }

    private static List<RowCase> images() {
        List<RowCase> cases = new ArrayList<>(List.of(
                proves("Conv", "x:N,3,T", "y = Conv(x, {4,3,3}, {4}) pads=[1,1]", "y:0"),
                proves("Conv", "x:N,4,9,9", "y = Conv(x, {4,2,3,3}) group=2 strides=[2,2] auto_pad=SAME_UPPER", "y:0"),
                // Images of each step, [N,T,...] as [N*T,...].
                proves(
                        "Conv",
                        "x:N,2,3,8",
                        "z = Reshape(x, [-1,3,8]); c = Conv(z, {4,3,3}) strides=[2] dilations=[2] pads=[2,2];"
                                + " w = Reshape(c, [-1,2,16]); y = Tanh(w)",
                        "y:0"),
                mixes("Conv", "x:2,3,N", "y = Conv(x, {4,3,3}) pads=[1,1]", "y:2", IMAGES),
                mixes("Conv", "x:2,N,5", "y = Conv(x, {4,6,3})", "y:", IMAGES),
                mixes(
                        "Conv",
                        "x:N,3,9",
                        "w = Slice(x, [0], [3], [2]); y = Conv(x, w) pads=[1,1]",
                        "y:0",
                        "y: takes its weights from the rows"),
                proves("ConvInteger", "x u8:N,3,8", "y = ConvInteger(x, u8{4,3,3}, u8:9)", "y i32:0"),
                mixes("ConvInteger", "x u8:2,3,N", "y = ConvInteger(x, u8{4,3,3}, u8:9) pads=[1,1]", "y i32:2", IMAGES),
                proves("QLinearConv", "x u8:N,3,8", "y = QLinearConv(" + QUANTIZED, "y u8:0"),
                mixes("QLinearConv", "x u8:2,3,N", "y = QLinearConv(" + QUANTIZED + " pads=[1,1]", "y u8:2", IMAGES),
                proves("ConvTranspose", "x:N,3,5", "y = ConvTranspose(x, {3,4,3}) strides=[2]", "y:0"),
                mixes("ConvTranspose", "x:2,3,N", "y = ConvTranspose(x, {3,4,3}) pads=[1,1]", "y:2", IMAGES),
                refuses(
                        "MaxPool",
                        "x:N,3,8",
                        "y, i = MaxPool(x) kernel_shape=[2]",
                        "y:0",
                        "y: gives indices into all")));
        for (String operator : List.of("AveragePool", "LpPool", "MaxPool")) {
            cases.add(proves(operator, "x:N,3,8", "y = " + operator + "(x) kernel_shape=[2]", "y:0"));
            cases.add(proves(operator, "x:N,3,T", "y = " + operator + "(x) kernel_shape=[3] pads=[1,1]", "y:0")
                    .at(11));
            cases.add(mixes(operator, "x:2,3,N", "y = " + operator + "(x) kernel_shape=[3] pads=[1,1]", "y:2", IMAGES));
        }
        // The size of the output with a rounded last window, as ONNX Runtime computes it.
        for (String pool : List.of(
                "kernel_shape=[3] strides=[2] ceil_mode=1",
                "kernel_shape=[2] strides=[3] auto_pad=VALID",
                "kernel_shape=[3] strides=[2] auto_pad=SAME_LOWER",
                "kernel_shape=[3] dilations=[2] strides=[2]")) {
            cases.add(proves(
                    "MaxPool",
                    "x:N,3,8",
                    "p = MaxPool(x) " + pool + "; s = Shape(p); t = Gather(s, [2]); a = Concat([-1], t) axis=0;"
                            + " y = Reshape(p, a)",
                    "y:0"));
        }
        for (String operator : List.of("GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool")) {
            cases.add(proves(operator, "x:N,3,T,2", "y = " + operator + "(x)", "y:0"));
            cases.add(mixes(operator, "x:2,3,N", "y = " + operator + "(x)", "y:", IMAGES));
        }
        return cases;
    }

    private static final String QUANTIZED = "x, 0.1, u8:9, u8{4,3,3}, 0.1, u8:90, 0.5, u8:100)";

    private static List<RowCase> recurrent(String operator) {
        int gates = operator.equals("LSTM") ? 4 : operator.equals("GRU") ? 3 : 1;
        String weights = "{1,%d,3}, {1,%d,4}, {1,%d}".formatted(4 * gates, 4 * gates, 8 * gates);
        String both = "{2,%d,3}, {2,%d,4}".formatted(4 * gates, 4 * gates);
        String y = "y, z = " + operator, to = ") hidden_size=4";
        List<RowCase> cases = new ArrayList<>(List.of(
                proves(operator, "x:T,N,3", y + "(x, " + weights + to, "y:2 z:1"),
                proves(operator, "x:T,N,3", y + "(x, " + both + to + " direction=bidirectional", "y:2 z:1"),
                proves(operator, "x:T,N,3", y + "(x, " + weights + to, "y:2 z:1")
                        .at(7),
                proves(operator, "x:T,N,3 h:1,N,4", y + "(x, " + weights + ", , h" + to, "y:2 z:1"),
                proves(operator, "x:T,N,3 l i64:N", lengths() + y + "(x, " + weights + ", l32" + to, "y:2 z:1"),
                // Two axes of rows: streams of windows.
                proves(operator, "x:T,N,2,3", "r = Reshape(x, [0,-1,3]); " + y + "(r, " + weights + to, "y:2 z:1"),
                mixes(operator, "x:N,2,3", y + "(x, " + weights + to, "y:0 z:", "y: recurs along the axis of the rows"),
                refuses(
                        operator,
                        "x:T,2,N",
                        y + "(x, " + weights.replace(",3}", ",6}") + to,
                        "y:0",
                        "y: combines the r"),
                refuses(operator, "x:T,N,3", y + "(x, " + weights + ", , {1,6,4}" + to, "y:2 z:1", "y: combines rows"),
                refuses(
                        operator,
                        "x:T,N,3",
                        y + "(x, " + weights + ", i32[1,2,3,3,2,1]" + to,
                        "y:2 z:1",
                        "y: combines rows with 'y.4'"),
                mixes(
                        operator,
                        "x:T,N,3",
                        "m = ReduceMean(x) axes=[0,1,2]; f = Expand(m, [1,%d,3]); ".formatted(4 * gates)
                                + y
                                + "(x, f, {1,%d,4}".formatted(4 * gates)
                                + to,
                        "y:2 z:1",
                        "m: reduces along the axis of the rows")));
        if (operator.equals("LSTM")) {
            cases.add(proves(operator, "x:N,T,3", y + "(x, " + weights + to + " layout=1", "y:0 z:0"));
            cases.add(mixes(operator, "x:2,N,3", y + "(x, " + weights + to + " layout=1", "y:1 z:", "y: recurs along"));
            cases.add(proves(
                    operator,
                    "x:T,N,3 h:1,N,4 c:1,N,4",
                    "y, z, d = LSTM(x, " + weights + ", , h, c, {1,12}" + to,
                    "y:2 z:1 d:1"));
        }
        return cases;
    }

    /** Lengths of one to three steps from random numbers 0 to 2. */
    private static String lengths() {
        return "l1 = Add(l, 1); l32 = Cast(l1) to=6; ";
    }
}

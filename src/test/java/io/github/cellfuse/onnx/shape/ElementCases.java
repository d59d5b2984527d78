package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Cases of operators that work element by element. */
final class ElementCases {
    private static final String UNARY = """
            Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Dropout Elu Erf Exp Floor HardSigmoid
            HardSwish Identity IsInf IsNaN LeakyRelu Log Neg Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh
            Softplus Softsign Sqrt Tan Tanh ThresholdedRelu com.microsoft:Gelu com.microsoft:QuickGelu""";
    private static final Map<String, Integer> LATER = Map.of("Gelu", 20, "Mish", 18, "Swish", 24);
    private static final String ARITHMETIC = "Add Div Max Mean Min Mul Pow Sub Sum PRelu";
    private static final String COMPARISONS = "Equal Greater GreaterOrEqual Less LessOrEqual";

    private ElementCases() {}

    /** Returns the operators of a single value, of which no use can mix rows. */
    static Set<String> rowwise() {
        Set<String> all = new TreeSet<>(Set.of("BitwiseNot", "Not", "ai.onnx.ml:LabelEncoder"));
        all.addAll(List.of(UNARY.split("\\s+")));
        all.addAll(LATER.keySet());
        return all;
    }

    static List<RowCase> all() {
        List<RowCase> cases = new ArrayList<>(List.of(
                proves("BitwiseNot", "x i64:N,3", "y = BitwiseNot(x)", "y i64:0")
                        .at(18),
                proves("Not", "x bool:3,N", "y = Not(x)", "y bool:1"),
                proves("Clip", "x:N,3", "y = Clip(x, -0.5, 0.5)", "y:0"),
                proves("Clip", "x:N,3", "y = Clip(x) min=-0.5 max=0.5", "y:0").at(9),
                mixes(
                        "Clip",
                        "x:N,3",
                        "m = ReduceMean(x) keepdims=0; y = Clip(x, m)",
                        "y:0",
                        "m: reduces along the axis of the rows"),
                mixes(
                        "Clip",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, 0); f = Cast(n) to=1; g = Div(f, 9.0); y = Clip(x, , g)",
                        "y:0",
                        "y: computes with the number of rows"),
                proves(
                        "ai.onnx.ml:LabelEncoder",
                        "x i64:N,3",
                        "y = ai.onnx.ml:LabelEncoder(x) keys_int64s=[0,1] values_int64s=[5,6] default_int64=9",
                        "y i64:0"),
                proves("Cast", "x:T,N", "y = Cast(x) to=7", "y i64:1"),
                proves("Cast", "x:N,3", "y = Cast(x) to=9", "y bool:0"),
                // Sizes in floats and back, as older exporters compute them.
                proves(
                        "Cast",
                        "x:N,T,4",
                        "s = Shape(x); n = Gather(s, [0]); t = Gather(s, [1]); a = Cast(n) to=1; b = Cast(t) to=1;"
                                + " p = Mul(a, b); q = Floor(p); r = Cast(q) to=7; z = Concat(r, [4]) axis=0;"
                                + " w = Reshape(x, z); y = Tanh(w)",
                        "y:0"),
                mixes(
                        "Cast",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, 0); f = Cast(n) to=1; y = Mul(x, f)",
                        "y:0",
                        "y: computes with the number of rows"),
                refuses(
                                "Cast",
                                "x:N,3",
                                "s = Shape(x); n = Gather(s, 0); f = Cast(n) to=FLOAT; y = Mul(x, f)",
                                "y:0",
                                "f: computes with the number of rows")
                        .at(5),
                // A size modulo 256 isn't a size any more.
                mixes(
                        "Cast",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, 0); m = Mul(n, 100); u = Cast(m) to=2; l = Cast(u) to=7;"
                                + " d = Sub(m, l); f = Cast(d) to=1; y = Add(x, f)",
                        "y:0",
                        "u: computes with the number of rows"),
                // Half of the rows may be a fraction: rounding it isn't nothing.
                mixes("Floor", "x:N,3", half("Floor(h)"), "y:0", "y: computes with the number of rows"),
                mixes("Ceil", "x:N,3", half("Ceil(h)"), "y:0", "y: computes with the number of rows"),
                mixes(
                        "Cast",
                        "x:N,3",
                        half("Cast(h) to=7; j = Cast(i) to=1").replace("Sub(h, i)", "Sub(h, j)"),
                        "y:0",
                        "y: computes with the number of rows"),
                // 0 / 0 isn't 0: not even a number less itself is 0.
                mixes(
                        "Sub",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, 0); f = Cast(n) to=1; d = Sub(f, 1.0); i = Div(1.0, d);"
                                + " z = Sub(i, i); y = Add(x, z)",
                        "y:0",
                        "y: computes with the number of rows"),
                // Equally many elements, but [2,1] and [1,2] make [2,2].
                refuses(
                        "Mul",
                        "x:N,4",
                        "a = Reshape([1,2], [2,1]); b = Mul(a, [1,3]); c = Reshape(b, [4]); d = Gather(c, [0,1]);"
                                + " y = Tile(x, d)",
                        "y:0",
                        "y: "),
                proves("Dropout", "x:N,3", "y = Dropout(x, 0.5, bool:0)", "y:0"),
                proves("Dropout", "x:N,3", "y = Dropout(x) ratio=0.5", "y:0").at(10),
                mixes("Dropout", "x:N,99", "y = Dropout(x, 0.5, bool:1)", "y:0", "y: drops elements at random"),
                mixes(
                        "Dropout",
                        "x:N,99",
                        "d = Dropout({99}, 0.5, bool:1); y = Add(x, d)",
                        "y:0",
                        "d: drops elements at random"),
                proves("Where", "c bool:N,1 x:N,3", "y = Where(c, x, 0.5)", "y:0"),
                proves("Where", "x:3,N", "c = Greater(x, 0.0); y = Where(c, x, {3,1})", "y:1"),
                mixes(
                        "Where",
                        "x:N,6",
                        "t = Transpose(x); y = Where(bool{6,6}, x, t)",
                        "y:0",
                        "y: combines rows in one axis with rows in another"),
                proves("com.microsoft:BiasGelu", "x:N,4", "y = com.microsoft:BiasGelu(x, {4})", "y:0"),
                proves("com.microsoft:FastGelu", "x:N,4", "y = com.microsoft:FastGelu(x, {4})", "y:0"),
                refuses(
                        "com.microsoft:BiasGelu",
                        "x:4,N",
                        "y = com.microsoft:BiasGelu(x, {6})",
                        "y:1",
                        "y: combines rows with 'y.1'"),
                refuses(
                        "com.microsoft:FastGelu",
                        "x:4,N",
                        "y = com.microsoft:FastGelu(x, {6})",
                        "y:1",
                        "y: combines rows with 'y.1'"),
                proves("PRelu", "x:N,3,4", "y = PRelu(x, {3,1})", "y:0"),
                refuses("PRelu", "x:N,3,4", "y = PRelu(x, {3})", "y:0", "y: broadcasts by the rules before")
                        .at(6),
                refuses("Add", "x:N,4", "y = Add(x, {4}) broadcast=1", "y:0", "y: broadcasts by the rules")
                        .at(6),
                proves("QuantizeLinear", "x:N,3", "y = QuantizeLinear(x, 0.1, u8:128)", "y u8:0"),
                proves("QuantizeLinear", "x:N,3", "y = QuantizeLinear(x, f32[0.1,0.2,0.3], u8[1,2,3])", "y u8:0"),
                proves("QuantizeLinear", "x:3,N", "y = QuantizeLinear(x, f32[.1,.2,.3], u8[1,2,3]) axis=0", "y u8:1"),
                mixes(
                        "QuantizeLinear",
                        "x:N,3",
                        "y = QuantizeLinear(x, f32[.1,.2,.3,.4,.5,.6], u8[1,2,3,4,5,6]) axis=-2",
                        "y u8:0",
                        "y: scales each row by a number of its own"),
                proves("DequantizeLinear", "x u8:N,3", "y = DequantizeLinear(x, 0.1, u8:128)", "y:0"),
                proves("DequantizeLinear", "x u8:N,3", "y = DequantizeLinear(x, {3}, u8[1,2,3]) axis=-1", "y:0"),
                mixes(
                        "DequantizeLinear",
                        "x u8:3,N",
                        "y = DequantizeLinear(x, {6}, u8[1,2,3,4,5,6])",
                        "y:1",
                        "y: scales each row by a number of its own")));
        for (String operator : UNARY.split("\\s+")) {
            String type = operator.startsWith("Is") ? "y bool" : "y";
            cases.add(proves(operator, "x:N,3", "y = " + operator + "(x)", type + ":0"));
            cases.add(proves(operator, "x:T,N,2", "y = " + operator + "(x)", type + ":1"));
        }
        LATER.forEach((operator, opset) -> cases.add(
                proves(operator, "x:N,3", "y = " + operator + "(x)", "y:0").at(opset)));
        for (String operator : ARITHMETIC.split(" ")) {
            binary(cases, operator, "", "{", "");
        }
        for (String operator : COMPARISONS.split(" ")) {
            binary(cases, operator, "", "{", " bool");
        }
        for (String operator : List.of("And", "Or", "Xor")) {
            binary(cases, operator, " bool", "bool{", " bool");
        }
        for (String operator : List.of("BitwiseAnd", "BitwiseOr", "BitwiseXor")) {
            binary(cases, operator, " i64", "i64{", " i64");
        }
        binary(cases, "BitShift direction=LEFT", " u8", "u8{", " u8");
        binary(cases, "Mod fmod=1", "", "{", "");
        return cases;
    }

    /** Nodes that add to x what a rounding of half the number of rows leaves. */
    private static String half(String rounding) {
        return "s = Shape(x); n = Gather(s, 0); f = Cast(n) to=1; h = Div(f, 2.0); i = " + rounding
                + "; d = Sub(h, i); y = Add(x, d)";
    }

    /** Every way in which two values are broadcast. */
    private static void binary(List<RowCase> cases, String operator, String type, String constant, String result) {
        String name = operator.split(" ")[0], more = operator.substring(name.length());
        String y = "y" + result;
        String with = "y = " + name + "(x, %s)" + more;
        long opset = name.startsWith("Bitwise") ? 18 : RowCase.OPSET;
        List<RowCase> some = List.of(
                proves(name, "x" + type + ":N,3", with.formatted(constant + "3}"), y + ":0"),
                proves(name, "x" + type + ":N,3", with.formatted(constant + "}"), y + ":0"),
                proves(name, "x" + type + ":T,N,3", with.formatted(constant + "3,1,1}"), y + ":1")
                        .withShapes(),
                proves(name, "x" + type + ":N,3 z" + type + ":N,3", with.formatted("z"), y + ":0"),
                proves(name, "x" + type + ":N,3 z" + type + ":N,1", with.formatted("z"), y + ":0"),
                mixes(
                        name,
                        "x" + type + ":N,6",
                        "z = Transpose(x); " + with.formatted("z"),
                        y + ":0",
                        "y: combines rows in one axis with rows in another"),
                refuses(
                        name,
                        "x" + type + ":N,6",
                        with.formatted(constant + "6,6}"),
                        y + ":0",
                        "y: combines rows with 'y.1', which doesn't hold the same rows"));
        some.forEach(each -> cases.add(each.at(opset)));
        if (!name.equals("PRelu")) {
            cases.add(proves(name, "x" + type + ":N,1,3 z" + type + ":T,1", with.formatted("z"), y + ":0")
                    .at(opset));
        }
    }
}

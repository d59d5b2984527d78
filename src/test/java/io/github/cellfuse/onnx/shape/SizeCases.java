package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.List;

/** Cases of numbers that graphs compute from the number of rows and from other sizes. */
final class SizeCases {
    private static final String SIZES = "s = Shape(x); n = Gather(s, 0); t = Gather(s, 1); ";
    private static final String COUNTS = "y: computes with the number of rows";

    private static final String CHOOSES = "b: computes with the number of rows";

    private SizeCases() {}

    static List<RowCase> all() {
        return List.of(
                // What cancels isn't there any longer.
                proves("Div", "x:N,T", scaled("a = Mul(n, t); b = Div(a, n)"), "y:0"),
                proves("Sub", "x:N,T", scaled("a = Add(n, 0); b = Sub(a, n)"), "y:0"),
                proves("Equal", "x:N,T", scaled("a = Equal(n, n); b = Cast(a) to=7"), "y:0"),
                proves("Equal", "x:N,T", scaled("a = Equal(n, -1); b = Cast(a) to=7"), "y:0"),
                proves("Equal", "x:N,T", scaled("a = Equal(n, 0); b = Cast(a) to=7"), "y:0"),
                proves("Where", "x:N,T", scaled("a = Equal(t, -1); b = Where(a, n, t)"), "y:0"),
                proves("ReduceProd", "x:N,T", scaled("a = ReduceProd(s) keepdims=0; b = Div(a, n)"), "y:0"),
                mixes("ReduceProd", "x:N,T", scaled("b = ReduceProd(s) keepdims=0"), "y:0", COUNTS),
                // Without reducing, these are all sizes and not their product.
                mixes(
                                "ReduceProd",
                                "x:N,4",
                                "s = Shape(x); a = ReduceProd(s) noop_with_empty_axes=1;"
                                        + " b = Gather(a, 0); n = Gather(s, 0); m = Mul(n, 4); d = Sub(b, m);"
                                        + " f = Cast(d) to=1;"
                                        + " y = Add(x, f)",
                                "y:0",
                                "a: computes with the number")
                        .at(18),
                // Conditions that look true and aren't.
                mixes(
                        "Equal",
                        "x:N,3",
                        scaled("c = Equal(f64:0.999999999999, f64:1); b = Where(c, 7, n)"),
                        "y:0",
                        CHOOSES),
                mixes(
                        "Equal",
                        "x:N,3",
                        scaled("m = Cast(16777217) to=1; l = Cast(m) to=7; c = Equal(l, 16777217);"
                                + " b = Where(c, 7, n)"),
                        "y:0",
                        CHOOSES),
                mixes(
                        "Equal",
                        "x:N,3",
                        scaled("m = Cast(4294967297) to=6; l = Cast(m) to=7; c = Equal(l, 4294967297);"
                                + " b = Where(c, 7, n)"),
                        "y:0",
                        CHOOSES),
                mixes(
                        "Equal",
                        "x:N,3",
                        scaled("m = Mul(4611686018427387904, 4); o = Cast(m) to=11; c = Equal(o, f64:0);"
                                + " d = Not(c); b = Where(d, 7, n)"),
                        "y:0",
                        COUNTS),
                mixes("Max", "x:N,3", scaled("b = Max(n, t)"), "y:0", COUNTS),
                mixes("Max", "x:N,3", scaled("b = Max(n, 4)"), "y:0", COUNTS),
                mixes("Min", "x:N,3", scaled("b = Min(n, 4)"), "y:0", COUNTS),
                mixes("Mod", "x:N,3", scaled("b = Mod(n, 4)"), "y:0", COUNTS),
                mixes("Div", "x:N,3", scaled("b = Div(n, 4)"), "y:0", COUNTS),
                mixes("Pow", "x:N,3", scaled("b = Pow(n, 2)"), "y:0", COUNTS),
                mixes("Greater", "x:N,3", scaled("a = Greater(n, 3); b = Cast(a) to=7"), "y:0", COUNTS),
                mixes("Where", "x:N,3", scaled("a = Less(n, 4); b = Where(a, 2, 1)"), "y:0", COUNTS),
                mixes(
                        "And",
                        "x:N,3",
                        scaled("a = Cast(n) to=9; c = Less(n, 4); d = And(a, c); b = Cast(d) to=7"),
                        "y:0",
                        COUNTS),
                mixes("Neg", "x:N,3", scaled("b = Neg(n)"), "y:0", COUNTS),
                mixes("Identity", "x:N,3", scaled("b = Identity(n)"), "y:0", COUNTS),
                mixes("Abs", "x:N,3", scaled("b = Abs(n)"), "y:0", "b: computes with the number of rows"),
                mixes("Mean", "x:N,3", SIZES + "f = Cast(n) to=1; a = Mean(f); y = Mul(x, a)", "y:0", COUNTS),
                mixes("Sum", "x:N,3", SIZES + "f = Cast(n) to=1; a = Sum(f, f, f); y = Mul(x, a)", "y:0", COUNTS),
                // The mean over all rows, written as a sum.
                mixes(
                        "ReduceSum",
                        "x:N,3",
                        SIZES + "r = ReduceSum(x, [0]); f = Cast(n) to=1; y = Div(r, f)",
                        "y:",
                        "r: reduces along the axis of the rows"),
                mixes("Gather", "x:N,9", SIZES + "p = Sub(n, 1); y = Gather(x, p) axis=1", "y:0", COUNTS),
                mixes(
                        "Concat",
                        "x:N,3",
                        SIZES + "u = Unsqueeze(n, [0]); c = Concat(u, [2,1]) axis=0;"
                                + " f = Cast(c) to=1; y = Mul(x, f)",
                        "y:0",
                        COUNTS),
                mixes(
                        "Split",
                        "x:N,3",
                        "s = Shape(x); a, b = Split(s); f = Cast(a) to=1; y = Mul(x, f)",
                        "y:0",
                        "a: computes with the number of rows"),
                mixes(
                        "Pad",
                        "x:N,3",
                        SIZES + "u = Unsqueeze(n, [0]); p = Concat([0,0,0], u) axis=0; y = Pad(x, p)",
                        "y:0",
                        COUNTS),
                // Sizes of another axis may be anything.
                proves("Div", "x:N,T", scaled("b = Div(t, 2)"), "y:0"),
                proves("Mod", "x:N,T", scaled("b = Mod(t, 2)"), "y:0"),
                proves("Max", "x:N,T", scaled("b = Max(t, 2, 7)"), "y:0"),
                proves(
                        "Slice",
                        "x:N,T",
                        SIZES + "h = Div(t, 2); u = Unsqueeze(h, [0]); y = Slice(x, [0], u, [1])",
                        "y:0"),
                proves(
                        "Reshape",
                        "x:N,T,4",
                        "s = Shape(x); a = Slice(s, [0], [-1]); b = Concat(a, [2,2]) axis=0;" + " y = Reshape(x, b)",
                        "y:0"),
                proves(
                        "Reshape",
                        "x:T,N,2,2",
                        "s = Shape(x); a = Slice(s, [0], [2]); b = Concat(a, [-1]) axis=0;" + " y = Reshape(x, b)",
                        "y:1"),
                proves("Transpose", "x:N,3", "s = Shape(x); a = Transpose(s); y = ConstantOfShape(a)", "y:0"),
                refuses(
                        "Reshape",
                        "x:N,3",
                        SIZES + "h = Div(n, 2); u = Unsqueeze(h, [0]); v = Concat(u, [-1]) axis=0;"
                                + " y = Reshape(x, v)",
                        "y:0",
                        "y: moves the rows to a place that can't be followed"));
    }

    /** Multiplies x by the number b. */
    private static String scaled(String nodes) {
        return SIZES + nodes + "; f = Cast(b) to=1; y = Mul(x, f)";
    }
}

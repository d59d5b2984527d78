package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.List;

/** Cases of If, of random numbers, and of operators without a rule. */
final class BranchCases {
    private BranchCases() {}

    static List<RowCase> all() {
        return List.of(
                proves("If", "x:N,3 c bool:", either("a = Tanh(x) => a", "b = Neg(x) => b"), "y:0"),
                proves("If", "x:N,3 c bool:", either("a = Mul(x, {3}) => a", "b = MatMul(x, {3,3}) => b"), "y:0"),
                proves(
                        "If",
                        "x:N,3 c bool:",
                        either("k = Constant() value=f32{3}; a = Add(x, k) => a", "b = Identity(x) => b"),
                        "y:0"),
                proves(
                        "If",
                        "x:N,3 c bool:",
                        either(
                                "y1 = If(c) then_branch={a = Neg(x) => a} else_branch={b = Abs(x) => b} => y1",
                                "d = Tanh(x) => d"),
                        "y:0"),
                // A condition on the other sizes, which is decided or not.
                proves("If", "x:N,3", sized("Gather(s, 1)", 3, "a = Tanh(x) => a", "b = Transpose(x) => b"), "y:0"),
                proves("If", "x:N,T", sized("Gather(s, 1)", 3, "a = Tanh(x) => a", "b = Neg(x) => b"), "y:0"),
                // PyTorch's squeeze(): decided, as a batch has at least two rows.
                proves(
                        "If",
                        "x:T,N,1",
                        sized("Gather(s, 2)", 1, "a = Squeeze(x, [2]) => a", "b = Identity(x) => b"),
                        "y:1"),
                proves(
                        "If",
                        "x:N,3",
                        sized("Gather(s, 0)", 1, "a = ReduceSum(x, [0]) => a", "b = Tanh(x) => b"),
                        "y:0"),
                proves("If", "x:N,3", sized("Gather(s, 0)", 0, "a = Neg(x) => a", "b = Tanh(x) => b"), "y:0"),
                // A branch that doesn't depend on the rows, beside one that does.
                proves(
                        "If",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, 0); c = Equal(n, -1);"
                                + " z = If(c) then_branch={a = Tanh(x) => a} else_branch={b = Identity({1,3}) => b};"
                                + " y = Add(x, z)",
                        "y:0"),
                mixes(
                        "If",
                        "x:N,3",
                        sized("Gather(s, 0)", 6, "a = Tanh(x) => a", "b = Neg(x) => b"),
                        "y:0",
                        "y: chooses a branch by the number of rows"),
                mixes(
                        "If",
                        "x:N,3",
                        "m = ReduceMax(x) keepdims=0; c = Greater(m, 1.5); "
                                + either("a = Tanh(x) => a", "b = Neg(x) => b"),
                        "y:0",
                        "m: reduces along the axis of the rows"),
                refuses(
                        "If",
                        "x:N,3 c bool:",
                        either("a = Tanh(x) => a", "b = Transpose(x) => b"),
                        "y:0",
                        "y: has the rows in different places in its branches"),
                refuses(
                        "If",
                        "x:N,3 c bool:",
                        either("a = Tanh(x) => a", "b = Neg({6,3}) => b"),
                        "y:0",
                        "y: has the rows in different places in its branches"),
                mixes(
                        "If",
                        "x:N,3",
                        "s = Shape(x); t = Gather(s, 1); c = Equal(t, 3);"
                                + either("a = CumSum(x, 0) => a", "b = Neg(x) => b"),
                        "y:0",
                        "a: computes along the axis of"),
                // A node in a branch with the name of another one: each has a size of its own.
                mixes(
                        "If",
                        "x:N,3 k i64:",
                        "l = Add(k, 5); r = Range(0, l, 1) name=q; s = Shape(x); n = Gather(s, 0);"
                                + " c = Equal(n, -1); "
                                + either(
                                        "a = Tanh(x) => a",
                                        "o = Range(0, k, 1) name=q;"
                                                + " d = Shape(r); e = Shape(o); g = Equal(d, e);"
                                                + " w = Where(g, 7, n); f = Cast(w) to=1;"
                                                + " b = Mul(x, f) => b"),
                        "y:0",
                        "b: computes with the number of rows"),
                // Random numbers, also in bodies and also of constants.
                mixes(
                        "RandomNormal",
                        "x:N,3",
                        "r = RandomNormal() shape=[1,3]; y = Add(x, r)",
                        "y:0",
                        "r: gives other numbers in each run"),
                mixes(
                        "RandomUniformLike",
                        "x:N,3",
                        "r = RandomUniformLike({1,3}); y = Add(x, r)",
                        "y:0",
                        "r: gives other numbers in each run"),
                refuses(
                        "RandomNormal",
                        "x:N,3",
                        "r = Loop(1, bool:1)"
                                + " body={k = Identity(bool:1); a = RandomNormal() shape=[3] => k, a}; y = Add(x, r)",
                        "y:0",
                        "r: gives other numbers in each run"),
                refuses(
                        "Einsum",
                        "x:N,3",
                        "y = Einsum(x) equation=ij->ij",
                        "y:0",
                        "y: has an operator that isn't known to keep rows apart"));
    }

    private static String either(String some, String others) {
        return "y = If(c) then_branch={" + some + "} else_branch={" + others + "}";
    }

    /** An If that compares a size with a number. */
    private static String sized(String size, long number, String some, String others) {
        return "s = Shape(x); n = " + size + "; c = Equal(n, " + number + "); " + either(some, others);
    }
}

package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.List;

/** Cases of operators that select, join, pad or reorder parts of values. */
final class SelectionCases {
    private static final String SOME_ROWS = "y: selects some of the rows";

    private SelectionCases() {}

    static List<RowCase> all() {
        return List.of(
                proves("Slice", "x:N,T,4", "y = Slice(x, [1], [3], [2])", "y:0"),
                proves("Slice", "x:T,N,4", "y = Slice(x, [-1], [9223372036854775807], [0])", "y:1"),
                proves("Slice", "x:N,4", "y = Slice(x, [-1], [-9223372036854775808], [-1], [-1])", "y:0"),
                proves("Slice", "x:N,4", "y = Slice(x, [0,1], [2147483647,3])", "y:0"),
                proves("Slice", "x:N,4", "s = Shape(x); n = Gather(s, [0]); y = Slice(x, [0], n, [0])", "y:0"),
                proves("Slice", "x:N,4", "y = Slice(x) axes=[1] starts=[1] ends=[-1]", "y:0")
                        .at(9),
                proves("Slice", "x:4,N", "y = Slice(x) starts=[0] ends=[2]", "y:1")
                        .at(1),
                mixes("Slice", "x:N,4", "y = Slice(x, [1], [9223372036854775807], [0])", "y:0", SOME_ROWS),
                mixes("Slice", "x:N,4", "y = Slice(x, [0], [-1], [-2])", "y:0", SOME_ROWS),
                mixes("Slice", "x:N,4", "y = Slice(x, [-1], [-99], [0], [-1])", "y:0", SOME_ROWS),
                mixes("Slice", "x:N,4", "y = Slice(x) starts=[1] ends=[99]", "y:0", SOME_ROWS)
                        .at(9),
                mixes(
                        "Slice",
                        "x:N,9",
                        "s = Shape(x); n = Gather(s, [0]); y = Slice(x, [0], n, [1])",
                        "y:0",
                        "y: cuts a value at the number of rows"),
                // ONNX begins at element 0 where NumPy selects nothing, so this isn't an empty shape.
                mixes(
                        "Slice",
                        "x:N,4",
                        "s = Shape(x); a = Slice(s, [-9], [-9], [0], [-1]); b = Concat(a, [1]) axis=0;"
                                + " c = ReduceProd(b) keepdims=0; f = Cast(c) to=1; y = Mul(x, f)",
                        "y:0",
                        "y: computes with the number of rows"),
                mixes(
                        "Slice",
                        "x:N,4",
                        "s = Shape(x); a = Slice(s, [0], [2], [0], [9223372036854775807]); f = Cast(a) to=1;"
                                + " y = Mul(x, f)",
                        "y:0",
                        "y: computes with the number of rows"),
                proves("Gather", "x:N,T,4", "y = Gather(x, -1) axis=2", "y:0"),
                proves("Gather", "x:T,N,4", "y = Gather(x, 0)", "y:0"),
                proves("Gather", "x:N,4", "y = Gather(x, [[0,1]]) axis=-1".replace("[[0,1]]", "[0,1]"), "y:0"),
                proves("Gather", "x i64:N,T", "y = Gather({5,4}, x)", "y:0"),
                proves("Gather", "x i64:T,N", "y = Gather({2,5,4}, x) axis=1", "y:2"),
                mixes("Gather", "x:N,4", "y = Gather(x, [0,0,1])", "y:0", SOME_ROWS),
                mixes("Gather", "x:4,N", "y = Gather(x, [-1,-1,0]) axis=-1", "y:1", SOME_ROWS),
                mixes(
                        "Gather",
                        "x:N,4 i i64:N",
                        "y = Gather(x, i)",
                        "y:0",
                        "y: takes both its data and its indices from the rows"),
                proves("GatherElements", "x:N,4 i i64:N,2", "y = GatherElements(x, i) axis=1", "y:0"),
                proves("GatherElements", "x:4,N i i64:2,N", "y = GatherElements(x, i) axis=-2", "y:1"),
                mixes("GatherElements", "x:N,4 i i64:N,4", "y = GatherElements(x, i)", "y:0", SOME_ROWS),
                refuses(
                        "GatherElements",
                        "x:N,4",
                        "y = GatherElements(x, i64{6,4}) axis=1",
                        "y:0",
                        "y: combines rows with 'y.1'"),
                proves("Concat", "x:N,4 z:N,3", "y = Concat(x, z) axis=1", "y:0"),
                proves("Concat", "x:4,T,N z:3,T,N", "y = Concat(x, z, x) axis=-3", "y:2"),
                mixes("Concat", "x:N,4", "y = Concat(x, x) axis=0", "y:0", "y: joins values along the axis of the r"),
                mixes("Concat", "x:4,N", "y = Concat({4,2}, x) axis=-1", "y:1", "y: joins values along the axis of"),
                refuses("Concat", "x:N,4", "y = Concat(x, {6,4}) axis=1", "y:0", "y: combines rows with 'y.1'"),
                refuses(
                        "Concat",
                        "x:N,6 ",
                        "t = Transpose(x); u = Unsqueeze(x, [2]); v = Unsqueeze(t, [2]); y = Concat(u, v) axis=2",
                        "y:0",
                        "y: combines rows with 'v'"),
                proves("Split", "x:N,4", "y, z = Split(x) axis=1", "y:0 z:0"),
                proves("Split", "x:4,N", "y, z = Split(x, [1,3])", "y:1 z:1"),
                proves("Split", "x:N,4", "y, z = Split(x) axis=-1 split=[3,1]", "y:0 z:0")
                        .at(11),
                proves("Split", "x:N,5", "y, z = Split(x) axis=1 num_outputs=2", "y:0 z:0")
                        .at(18),
                mixes("Split", "x:N,4", "y, z = Split(x, [2,4])", "y:0 z:0", "y: splits the rows"),
                mixes("Split", "x:N,4", "y, z = Split(x) axis=-2", "y:0 z:0", "y: splits the rows"),
                proves("Pad", "x:N,4", "y = Pad(x, [0,1,0,2])", "y:0"),
                proves("Pad", "x:4,N", "y = Pad(x, [-1,0,1,0], 0.5) mode=constant", "y:1"),
                proves("Pad", "x:N,4", "y = Pad(x) pads=[0,2,0,1] mode=reflect", "y:0")
                        .at(2),
                proves("Pad", "x:T,4,N", "y = Pad(x, [1,1], , [1])", "y:2").at(18),
                proves("Pad", "x:N,4", "y = Pad(x, [-1,2], , [-1]) mode=edge", "y:0")
                        .at(19),
                mixes("Pad", "x:N,4", "y = Pad(x, [1,0,0,0])", "y:0", "y: pads the rows"),
                mixes("Pad", "x:N,4", "y = Pad(x, [-1,0,1,0])", "y:0", "y: pads the rows"),
                mixes("Pad", "x:N,4", "y = Pad(x, [2,0], , [-2]) mode=reflect", "y:0", "y: pads the rows")
                        .at(18),
                mixes(
                        "Pad",
                        "x:N,4",
                        "m = ReduceMax(x) keepdims=0; y = Pad(x, [0,1,0,1], m)",
                        "y:0",
                        "m: reduces along the axis of the rows"),
                proves("OneHot", "x i64:N,T", "y = OneHot(x, 3, f32[0,1])", "y:0"),
                proves("OneHot", "x i64:N", "y = OneHot(x, [3], f32[-1,1]) axis=0", "y:1"),
                proves("OneHot", "x i64:N,T", "y = OneHot(x, 3, i64[0,1]) axis=-2", "y i64:0"),
                mixes(
                        "OneHot",
                        "x i64:N",
                        "s = Shape(x); y = OneHot(x, s, f32[0,1])",
                        "y:0",
                        "y: computes with the number of rows"),
                proves("ReverseSequence", "x:T,N,4 l i64:N", reversed(""), "y:1"),
                proves("ReverseSequence", "x:N,T l i64:N", reversed("batch_axis=0 time_axis=1"), "y:0"),
                mixes(
                        "ReverseSequence",
                        "x:N,3",
                        "y = ReverseSequence(x, [6,5,4])",
                        "y:0",
                        "y: combines rows with 'y.1'"),
                mixes(
                        "ReverseSequence",
                        "x:N,6 z:N,1",
                        "a = Shape(z); b = Squeeze(z, [1]); c = Cast(b) to=7; d = Mul(c, 0); e = Add(d, 6);"
                                + " y = ReverseSequence(x, e)",
                        "y:0",
                        "y: reverses the order of the rows"),
                proves("Trilu", "x:N,3,4", "y = Trilu(x)", "y:0"),
                proves("Trilu", "x:2,N,3,4", "y = Trilu(x, 1) upper=0", "y:1"),
                mixes("Trilu", "x:N,4", "y = Trilu(x)", "y:0", "y: treats the rows as rows or columns"),
                mixes("Trilu", "x:3,4,N", "y = Trilu(x)", "y:2", "y: treats the rows as rows or columns"),
                proves("SpaceToDepth", "x:N,2,4,6", "y = SpaceToDepth(x) blocksize=2", "y:0"),
                mixes("SpaceToDepth", "x:2,3,N,4", "y = SpaceToDepth(x) blocksize=2", "y:2", "y: moves pixels across"),
                proves("DepthToSpace", "x:N,8,2,3", "y = DepthToSpace(x) blocksize=2 mode=CRD", "y:0"),
                mixes("DepthToSpace", "x:1,4,N,2", "y = DepthToSpace(x) blocksize=2", "y:3", "y: moves pixels across"),
                proves(
                        "Range",
                        "x:N,T",
                        "s = Shape(x); t = Gather(s, 1); p = Range(0, t, 1); f = Cast(p) to=1; y = Add(x, f)",
                        "y:0"),
                proves("Range", "x:N,4", "r = Range(3.0, -1.0, -1.0); y = Add(x, r)", "y:0"),
                mixes(
                        "Range",
                        "x:4,N",
                        "s = Shape(x); n = Gather(s, 1); p = Range(0, n, 1); f = Cast(p) to=1; y = Add(x, f)",
                        "y:1",
                        "p: numbers the rows"),
                mixes(
                        "Compress",
                        "x:N,4",
                        "m = ReduceSum(x, [1]) keepdims=0; c = Greater(m, 0.0); y = Compress(x, c) axis=0",
                        "y:0",
                        "y: selects elements by their values"),
                mixes("NonZero", "x:N,4", "y = NonZero(x)", "y i64:1", "y: selects elements by their values"),
                mixes("Unique", "x i64:N", "y = Unique(x)", "y i64:0", "y: selects elements by their values"));
    }

    /** Reverses the first one to three steps, as many as random lengths of 0 to 2 say. */
    private static String reversed(String attributes) {
        return "a = Add(l, 1); y = ReverseSequence(x, a) " + attributes;
    }
}

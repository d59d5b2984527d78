package io.github.cellfuse.onnx.shape;

import static io.github.cellfuse.onnx.shape.RowCase.mixes;
import static io.github.cellfuse.onnx.shape.RowCase.proves;
import static io.github.cellfuse.onnx.shape.RowCase.refuses;

import java.util.List;

/** Cases of operators that change shapes and the places of axes. */
final class ShapeCases {
    private ShapeCases() {}

    static List<RowCase> all() {
        return List.of(
                proves("Transpose", "x:N,3", "y = Transpose(x)", "y:1"),
                proves("Transpose", "x:T,N,3", "y = Transpose(x) perm=[1,2,0]", "y:0"),
                proves("Transpose", "x:N", "y = Transpose(x)", "y:0"),
                mixes(
                        "Transpose",
                        "x:N,6",
                        "t = Transpose(x); y = Add(x, t)",
                        "y:0",
                        "y: combines rows in one axis with rows in another"),
                proves("Squeeze", "x:N,1,3,1", "y = Squeeze(x, [1,-1])", "y:0"),
                proves("Squeeze", "x:1,N,3", "y = Squeeze(x) axes=[0]", "y:0").at(11),
                proves("Squeeze", "x:3,1,N", "y = Squeeze(x) axes=[-2]", "y:1").at(12),
                refuses("Squeeze", "x:N,1,3", "y = Squeeze(x)", "y:0", "y: removes every axis that happens"),
                // For ONNX Runtime, no axes are all of size 1: here, those of a single row as well.
                refuses("Squeeze", "x:N,1,3", "y = Squeeze(x, [])", "y:0", "y: removes every axis that happens"),
                refuses("Squeeze", "x:N,3", "y = Squeeze(x, [0])", "y:0", "y: removes the axis of the rows"),
                proves("Unsqueeze", "x:N,3", "y = Unsqueeze(x, [0,-1])", "y:1"),
                proves("Unsqueeze", "x:N,3", "y = Unsqueeze(x, [-2,1])", "y:0"),
                proves("Unsqueeze", "x:3,N", "y = Unsqueeze(x) axes=[0,2]", "y:3")
                        .at(11),
                mixes(
                        "Unsqueeze",
                        "x:N,3",
                        "a = Unsqueeze(x, [0]); b = Unsqueeze(x, [1]); y = Sub(a, b)",
                        "y:0",
                        "y: combines rows in one axis with rows in another"),
                proves("Flatten", "x:N,3,4", "y = Flatten(x)", "y:0"),
                proves("Flatten", "x:N,T,4", "y = Flatten(x) axis=-1", "y:0"),
                proves("Flatten", "x:3,N,4", "z = Flatten(x) axis=0; y = Reshape(z, [3,-1,4])", "y:1"),
                proves("Flatten", "x:1,N,4", "y = Flatten(x) axis=2", "y:0"),
                // The rows are interleaved with another axis: an output can't be put together from pieces.
                refuses("Flatten", "x:3,N,4", "y = Flatten(x) axis=2", "y:0", "output: 'y' has rows that are scatter"),
                proves("Reshape", "x:N,12", "y = Reshape(x, [-1,3,4])", "y:0"),
                proves("Reshape", "x:N,3,4", "y = Reshape(x, [0,-1])", "y:0"),
                proves("Reshape", "x:N,3,4", "y = Reshape(x, [-1,4])", "y:0"),
                proves("Reshape", "x:T,N,4", "y = Reshape(x, [0,0,2,2])", "y:1"),
                proves("Reshape", "x:N,12", "y = Reshape(x, [-1,3,4]) allowzero=1", "y:0"),
                proves("Reshape", "x:N,12", "y = Reshape(x, [-1,3,4])", "y:0").at(5),
                // [N,T,H] -> [N*T,H] -> a layer -> back, by sizes that nodes compute.
                proves("Reshape", "x:N,T,4", merged("n", "t"), "y:0"),
                proves("Reshape", "x:T,N,4", merged("n", "t"), "y:1"),
                proves(
                        "Reshape",
                        "x:N,T,4",
                        "z = Reshape(x, [-1,4]); w = MatMul(z, {4,5});"
                                + " s = Shape(x); a = Slice(s, [0], [2]); b = Concat(a, [5]) axis=0; y = Reshape(w, b)",
                        "y:0"),
                proves("Reshape", "x:N,2,4", "z = Reshape(x, [-1,4]); w = Tanh(z); y = Reshape(w, [-1,2,4])", "y:0"),
                mixes(
                        "Reshape",
                        "x:N,3,4",
                        "z = Reshape(x, [12,-1]); y = Tanh(z)",
                        "y:1",
                        "z: moves the rows to a place that can't be followed"),
                mixes(
                        "Reshape",
                        "x:N,4",
                        "y = Reshape(x, [2,-1])",
                        "y:1",
                        "y: moves the rows to a place that can't be followed"),
                mixes(
                        "Reshape",
                        "x:3,N,4",
                        "y = Reshape(x, [-1,3,4])",
                        "y:0",
                        "y: moves the rows to a place that can't be followed"),
                mixes(
                        "Reshape",
                        "x:N,6",
                        "z = Reshape(x, [-1,6]); w = Reshape(z, [6,-1]); y = ReduceSum(w, [1])",
                        "y:0",
                        "w: moves the rows to a place that can't be followed"),
                // Rows times T, and then T times rows: the order is another one.
                mixes(
                        "Reshape",
                        "x:N,T,4",
                        "s = Shape(x); n = Gather(s, [0]); t = Gather(s, [1]); a = Concat(t, n, [4]) axis=0;"
                                + " y = Reshape(x, a)",
                        "y:1",
                        "y: moves the rows to a place that can't be followed"),
                refuses("Reshape", "x:N,4 s i64:2", "y = Reshape(x, s)", "y:0", "y: has a target shape that isn't"),
                proves("Expand", "x:N,1,3", "y = Expand(x, [1,4,3])", "y:0"),
                proves("Expand", "x:N,3", "y = Expand(x, [2,1,1])", "y:1"),
                proves("Expand", "x:N,1,3 z:N,T", "s = Shape(z); e = Concat(s, [1]) axis=0; y = Expand(x, e)", "y:0"),
                proves("Expand", "x:N,3", "s = Shape(x); e = Expand({1,3}, s); y = Mul(e, x)", "y:0"),
                proves("Expand", "x:N,3", "s = Shape(x); y = Expand({1,3}, s)", "y:0"),
                // PyTorch's expand(-1, T, -1) compares its sizes with -1.
                proves(
                        "Expand",
                        "x:N,1,3 z:T,2",
                        "s = Shape(z); t = Gather(s, [0]); a = Concat([-1], t, [-1]) axis=0; c = Equal(a, [-1]);"
                                + " o = ConstantOfShape([3]) value=i64[1]; e = Where(c, o, a); y = Expand(x, e)",
                        "y:0"),
                proves(
                        "Expand",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, [0]); a = Concat(n, [5]) axis=0; c = Equal(a, [-1]);"
                                + " o = ConstantOfShape([2]) value=i64[1]; e = Where(c, o, a); z = Expand({1,5}, e);"
                                + " y = Concat(x, z) axis=1",
                        "y:0"),
                mixes("Expand", "x:N,3", "s = Shape(x); y = Expand({6,3}, s)", "y:0", "y: expands a value to the numb"),
                mixes(
                        "Expand",
                        "x:N,1,3",
                        "s = Shape(x); n = Gather(s, [0]); e = Concat([1], n, [1]) axis=0; y = Expand(x, e)",
                        "y:0",
                        "y: has an output whose axis 1 depends on the number of rows"),
                proves("Tile", "x:N,3", "y = Tile(x, [1,2])", "y:0"),
                proves("Tile", "x:T,N", "y = Tile(x, [2,1])", "y:1"),
                proves(
                        "Tile",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, [0]); r = Concat(n, [1]) axis=0; t = Tile({1,3}, r);"
                                + " y = Add(x, t)",
                        "y:0"),
                mixes("Tile", "x:N,3", "y = Tile(x, [2,1])", "y:0", "y: repeats the rows"),
                mixes(
                        "Tile",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, [0]); r = Concat([1], n) axis=0; y = Tile(x, r)",
                        "y:0",
                        "y: repeats a value as often as there are rows"),
                refuses(
                        "Tile",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, [0]); r = Concat(n, [1]) axis=0; y = Tile({2,3}, r)",
                        "y:0",
                        "y: repeats a value as often as there are rows"),
                proves("ConstantOfShape", "x:N,3", "s = Shape(x); y = ConstantOfShape(s) value=f32[2]", "y:0"),
                // The initial state of an LSTM.
                proves(
                        "ConstantOfShape",
                        "x:T,N,3",
                        "s = Shape(x); n = Gather(s, [1]); d = Concat([1], n, [4]) axis=0; h = ConstantOfShape(d);"
                                + " a, b, y = LSTM(x, {1,16,3}, {1,16,4}, , , h, h) hidden_size=4",
                        "y:1"),
                mixes(
                        "ConstantOfShape",
                        "x:N,3",
                        "s = Shape(x); n = Gather(s, [0]); d = Concat(n, n) axis=0; y = ConstantOfShape(d)",
                        "y:0",
                        "y: has an output whose axis 1 depends on the number of rows"),
                proves("Shape", "x:N,T", "s = Shape(x) start=1; f = Cast(s) to=1; y = Mul(x, f)", "y:0"),
                proves("Shape", "x:T,N", "s = Shape(x) start=-2 end=-1; f = Cast(s) to=1; y = Div(x, f)", "y:1"),
                mixes("Shape", "x:N,T", "y = Shape(x)", "y i64:", "output: 'y' counts the rows"),
                mixes(
                        "Shape",
                        "x:N,4",
                        "s = Shape(x) end=-1; f = Cast(s) to=1; y = Mul(x, f)",
                        "y:0",
                        "y: computes with the number of rows"),
                proves("Size", "x:N,T z:T,4", "s = Size(z); f = Cast(s) to=1; y = Mul(x, f)", "y:0"),
                proves(
                        "Size",
                        "x:N,T,4",
                        "s = Size(x); c = Div(s, 4); d = Unsqueeze(c, [0]); e = Concat(d, [4]) axis=0;"
                                + " y = Reshape(x, e)",
                        "y:0"),
                mixes("Size", "x:N,T", "y = Size(x)", "y i64:", "output: 'y' counts the rows"),
                mixes(
                        "Size",
                        "x:N,T",
                        "r = ReduceSum(x, [1]); s = Size(x); f = Cast(s) to=1; y = Div(r, f)",
                        "y:0",
                        "y: computes with the number of rows"));
    }

    /** Joins the first two axes for a layer and takes them apart again. */
    private static String merged(String first, String second) {
        return "s = Shape(x); @1 = Gather(s, 0); @2 = Gather(s, 1); p = Mul(@1, @2); q = Unsqueeze(p, [0]);"
                        .replace("@1", first)
                        .replace("@2", second)
                + " j = Concat(q, [4]) axis=0; z = Reshape(x, j); w = MatMul(z, {4,5}); u = Unsqueeze(" + first
                + ", [0]); v = Unsqueeze(" + second + ", [0]); b = Concat(u, v, [5]) axis=0; y = Reshape(w, b)";
    }
}

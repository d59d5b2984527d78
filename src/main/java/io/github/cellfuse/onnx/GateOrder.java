package io.github.cellfuse.onnx;

/** ONNX's orders of the gates, i o f c and of peepholes i o f, and CellFuse's, i f g o and i f o. */
final class GateOrder {
    /** Where in ONNX's order the gates i, f, g and o are. */
    private static final int[] GATES = {0, 2, 3, 1};

    /** Where in ONNX's order the peepholes of i, f and o are. */
    private static final int[] PEEPHOLES = {0, 2, 1};

    private GateOrder() {}

    /** Returns values {@code [4,block]} in CellFuse's order, of those from {@code first} on in ONNX's. */
    static float[] gates(TensorValues values, int first, int block) {
        return fromOnnx(GATES, values, first, block);
    }

    /** Returns values {@code [3,block]}. */
    static float[] peepholes(TensorValues values, int first, int block) {
        return fromOnnx(PEEPHOLES, values, first, block);
    }

    private static float[] fromOnnx(int[] order, TensorValues values, int first, int block) {
        float[] result = new float[order.length * block];
        for (int gate = 0; gate < order.length; gate++) {
            values.floats(first + order[gate] * block, result, gate * block, block);
        }
        return result;
    }

    /** Returns values {@code [4,…]} in ONNX's order. A new array. */
    static float[] gatesToOnnx(float[] values) {
        return toOnnx(GATES, values);
    }

    /** Returns values {@code [3,…]} in ONNX's order. A new array. */
    static float[] peepholesToOnnx(float[] values) {
        return toOnnx(PEEPHOLES, values);
    }

    private static float[] toOnnx(int[] order, float[] values) {
        int block = values.length / order.length;
        float[] result = new float[values.length];
        for (int gate = 0; gate < order.length; gate++) {
            System.arraycopy(values, gate * block, result, order[gate] * block, block);
        }
        return result;
    }
}

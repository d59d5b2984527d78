package io.github.cellfuse.onnx;

/** Converts between ONNX's order of the gates (i o f c) and peepholes (i o f), and CellFuse's (i f g o and i f o). */
final class GateOrder {
    /** The positions of the gates i, f, g and o in ONNX's order. */
    private static final int[] GATES = {0, 2, 3, 1};

    /** The positions of the peepholes of i, f and o in ONNX's order. */
    private static final int[] PEEPHOLES = {0, 2, 1};

    private GateOrder() {}

    /** Returns {@code [4,block]} values in CellFuse's order. ONNX's begin at index {@code first} of {@code values}. */
    static float[] gates(TensorValues values, int first, int block) {
        return fromOnnx(GATES, values, first, block);
    }

    /**
     * Returns {@code [3,block]} peepholes in CellFuse's order. ONNX's begin at index {@code first} of {@code values}.
     */
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

    /** Returns {@code [4,…]} values in ONNX's order, in a new array. */
    static float[] gatesToOnnx(float[] values) {
        return toOnnx(GATES, values);
    }

    /** Returns {@code [3,…]} values in ONNX's order, in a new array. */
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

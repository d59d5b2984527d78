package io.github.cellfuse.jvm;

/**
 * The matrix product of {@code kernels/gate_product.cl}: for every row, gate and unit of a tile, {@code a = fma(x[k],
 * w[k], a)} in ascending k.
 *
 * <p>A tile is {@link #ROWS} rows × a block of units × 4 gates. The sums of a row and the weights of one k are arrays
 * of one fixed width (gates i, f, g, o in this order). The loops have the form that HotSpot's C2 compiles to vector
 * code: constant trip count, every array read at the loop index itself, and at most six multiply-adds in the body.
 * Three rows × two k is the best body that C2 vectorized every time. Larger bodies fell back to scalar code in some
 * compilations, four to five times slower ({@code docs/lab/experiments.md}).
 */
final class GateProduct {
    /** Rows of the batch that share one pass over the weights. */
    static final int ROWS = 3;

    /** Units of a wide block and of a narrow block. */
    static final int WIDE = 64, NARROW = 16;

    private static final int WIDE_SUMS = 4 * WIDE, NARROW_SUMS = 4 * NARROW;

    private GateProduct() {}

    /**
     * Adds the products of {@link #ROWS} rows, starting with row {@code row}.
     *
     * @param a sums of each row, {@code [rows][4·width]}
     * @param in inputs of each row
     * @param k0 the first input to use
     * @param weights {@code [I+P][4·width]}
     * @param first the row of the weights that belongs to this input
     * @param count the number of products
     */
    static void accumulate(float[][] a, int row, RowValues in, int k0, float[][] weights, int first, int count) {
        float[] a0 = a[row], a1 = a[row + 1], a2 = a[row + 2], x = in.values();
        int[] offset = in.offsets();
        int x0 = offset[row] + k0, x1 = offset[row + 1] + k0, x2 = offset[row + 2] + k0;
        boolean wide = a0.length == WIDE_SUMS;
        int k = 0;
        for (; k + 1 < count; k += 2) {
            float[] w0 = weights[first + k], w1 = weights[first + k + 1];
            if (wide) {
                wide(a0, a1, a2, w0, w1, x[x0 + k], x[x0 + k + 1], x[x1 + k], x[x1 + k + 1], x[x2 + k], x[x2 + k + 1]);
            } else {
                narrow(
                        a0,
                        a1,
                        a2,
                        w0,
                        w1,
                        x[x0 + k],
                        x[x0 + k + 1],
                        x[x1 + k],
                        x[x1 + k + 1],
                        x[x2 + k],
                        x[x2 + k + 1]);
            }
        }
        for (; k < count; k++) {
            float[] w = weights[first + k];
            single(a0, w, x[x0 + k]);
            single(a1, w, x[x1 + k]);
            single(a2, w, x[x2 + k]);
        }
    }

    /** Adds the products of one row: a remainder of the rows that isn't a multiple of {@link #ROWS}. */
    static void accumulateRow(float[] a, float[] x, int offset, float[][] weights, int first, int count) {
        boolean wide = a.length == WIDE_SUMS;
        int k = 0;
        for (; k + 3 < count; k += 4) {
            int w = first + k, i = offset + k;
            if (wide) {
                wideRow(
                        a,
                        weights[w],
                        weights[w + 1],
                        weights[w + 2],
                        weights[w + 3],
                        x[i],
                        x[i + 1],
                        x[i + 2],
                        x[i + 3]);
            } else {
                narrowRow(
                        a,
                        weights[w],
                        weights[w + 1],
                        weights[w + 2],
                        weights[w + 3],
                        x[i],
                        x[i + 1],
                        x[i + 2],
                        x[i + 3]);
            }
        }
        for (; k < count; k++) {
            single(a, weights[first + k], x[offset + k]);
        }
    }

    // Each loop is written twice, once for each constant trip count: if the width is a parameter, C2 often leaves it
    // scalar.

    private static void wide(
            float[] a0,
            float[] a1,
            float[] a2,
            float[] w0,
            float[] w1,
            float x00,
            float x01,
            float x10,
            float x11,
            float x20,
            float x21) {
        for (int j = 0; j < WIDE_SUMS; j++) {
            float p = w0[j], q = w1[j];
            a0[j] = Math.fma(x01, q, Math.fma(x00, p, a0[j]));
            a1[j] = Math.fma(x11, q, Math.fma(x10, p, a1[j]));
            a2[j] = Math.fma(x21, q, Math.fma(x20, p, a2[j]));
        }
    }

    private static void narrow(
            float[] a0,
            float[] a1,
            float[] a2,
            float[] w0,
            float[] w1,
            float x00,
            float x01,
            float x10,
            float x11,
            float x20,
            float x21) {
        for (int j = 0; j < NARROW_SUMS; j++) {
            float p = w0[j], q = w1[j];
            a0[j] = Math.fma(x01, q, Math.fma(x00, p, a0[j]));
            a1[j] = Math.fma(x11, q, Math.fma(x10, p, a1[j]));
            a2[j] = Math.fma(x21, q, Math.fma(x20, p, a2[j]));
        }
    }

    private static void wideRow(
            float[] a, float[] w0, float[] w1, float[] w2, float[] w3, float x0, float x1, float x2, float x3) {
        for (int j = 0; j < WIDE_SUMS; j++) {
            a[j] = Math.fma(x3, w3[j], Math.fma(x2, w2[j], Math.fma(x1, w1[j], Math.fma(x0, w0[j], a[j]))));
        }
    }

    private static void narrowRow(
            float[] a, float[] w0, float[] w1, float[] w2, float[] w3, float x0, float x1, float x2, float x3) {
        for (int j = 0; j < NARROW_SUMS; j++) {
            a[j] = Math.fma(x3, w3[j], Math.fma(x2, w2[j], Math.fma(x1, w1[j], Math.fma(x0, w0[j], a[j]))));
        }
    }

    private static void single(float[] a, float[] w, float x) {
        for (int j = 0; j < a.length; j++) {
            a[j] = Math.fma(x, w[j], a[j]);
        }
    }
}

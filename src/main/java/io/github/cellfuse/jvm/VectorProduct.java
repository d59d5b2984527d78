package io.github.cellfuse.jvm;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The products of {@link GateProduct} on vectors: a tile of rows × one vector of units × 4 gates whose sums stay in
 * registers during the loop over k.
 *
 * <p>Six rows need 24 sums, 4 weights and the row's value: 29 of the 32 registers of AVX-512 and NEON. AVX2 has 16, so
 * the gates are computed two at a time there: 12 sums, 2 weights and the value. C2 keeps vectors in registers only if
 * each is a local variable of its own and everything is inlined. The loop of a tile is therefore written out for each
 * number of rows.
 */
final class VectorProduct {
    private static final VectorSpecies<Float> SPECIES = VectorArithmetic.SPECIES;
    private static final int LANES = VectorArithmetic.LANES, WIDTH = 4 * LANES;

    /** Rows of the largest tile. */
    static final int MAX_ROWS = 6;

    /** Whether the registers hold the sums of only two gates: AVX2. */
    private static final boolean HALVES = LANES == 8;

    /**
     * Products between two stores of the sums. A method with a short loop is called often, so C2 soon compiles it as a
     * whole. If C2 entered it through a running loop instead (on-stack replacement), it wouldn't know the type of the
     * vectors and would allocate each of them.
     */
    private static final int DEPTH = 64;

    private VectorProduct() {}

    /** Returns the rows of the next tile if {@code left} rows are left. */
    static int tileRows(int left) {
        return left >= MAX_ROWS ? MAX_ROWS : Math.min(left, 3);
    }

    /**
     * Computes the pre-activations of a tile.
     *
     * @param rows a number that {@link #tileRows} returns
     * @param x the inputs of the tile, {@code [depth][rows]}, starting at {@code panel}
     * @param weights {@code [depth][4][lanes]}
     * @param depth the number of products
     * @param bias {@code [4][lanes]}
     * @param a receives {@code [4][rows][lanes]}
     */
    static void tile(int rows, float[] x, int panel, float[] weights, int depth, float[] bias, float[] a) {
        for (int gate = 0; gate < 4; gate++) {
            FloatVector b = FloatVector.fromArray(SPECIES, bias, gate * LANES);
            for (int r = 0; r < rows; r++) {
                b.intoArray(a, (gate * rows + r) * LANES);
            }
        }
        for (int k = 0; k < depth; k += DEPTH) {
            int part = Math.min(DEPTH, depth - k);
            switch (rows) {
                case 6 -> {
                    if (HALVES) {
                        half(x, panel + k * 6, weights, k * WIDTH, part, a, 0);
                        half(x, panel + k * 6, weights, k * WIDTH + 2 * LANES, part, a, 2 * 6 * LANES);
                    } else {
                        six(x, panel + k * 6, weights, k * WIDTH, part, a);
                    }
                }
                case 3 -> three(x, panel + k * 3, weights, k * WIDTH, part, a);
                case 2 -> two(x, panel + k * 2, weights, k * WIDTH, part, a);
                default -> one(x, panel + k, weights, k * WIDTH, part, a);
            }
        }
    }

    private static void six(float[] x, int panel, float[] w, int weights, int count, float[] a) {
        FloatVector i0 = FloatVector.fromArray(SPECIES, a, 0);
        FloatVector f0 = FloatVector.fromArray(SPECIES, a, 6 * LANES);
        FloatVector g0 = FloatVector.fromArray(SPECIES, a, 12 * LANES);
        FloatVector o0 = FloatVector.fromArray(SPECIES, a, 18 * LANES);
        FloatVector i1 = FloatVector.fromArray(SPECIES, a, LANES);
        FloatVector f1 = FloatVector.fromArray(SPECIES, a, 7 * LANES);
        FloatVector g1 = FloatVector.fromArray(SPECIES, a, 13 * LANES);
        FloatVector o1 = FloatVector.fromArray(SPECIES, a, 19 * LANES);
        FloatVector i2 = FloatVector.fromArray(SPECIES, a, 2 * LANES);
        FloatVector f2 = FloatVector.fromArray(SPECIES, a, 8 * LANES);
        FloatVector g2 = FloatVector.fromArray(SPECIES, a, 14 * LANES);
        FloatVector o2 = FloatVector.fromArray(SPECIES, a, 20 * LANES);
        FloatVector i3 = FloatVector.fromArray(SPECIES, a, 3 * LANES);
        FloatVector f3 = FloatVector.fromArray(SPECIES, a, 9 * LANES);
        FloatVector g3 = FloatVector.fromArray(SPECIES, a, 15 * LANES);
        FloatVector o3 = FloatVector.fromArray(SPECIES, a, 21 * LANES);
        FloatVector i4 = FloatVector.fromArray(SPECIES, a, 4 * LANES);
        FloatVector f4 = FloatVector.fromArray(SPECIES, a, 10 * LANES);
        FloatVector g4 = FloatVector.fromArray(SPECIES, a, 16 * LANES);
        FloatVector o4 = FloatVector.fromArray(SPECIES, a, 22 * LANES);
        FloatVector i5 = FloatVector.fromArray(SPECIES, a, 5 * LANES);
        FloatVector f5 = FloatVector.fromArray(SPECIES, a, 11 * LANES);
        FloatVector g5 = FloatVector.fromArray(SPECIES, a, 17 * LANES);
        FloatVector o5 = FloatVector.fromArray(SPECIES, a, 23 * LANES);
        for (int k = 0; k < count; k++) {
            int p = weights + k * WIDTH, j = panel + k * 6;
            FloatVector wi = FloatVector.fromArray(SPECIES, w, p);
            FloatVector wf = FloatVector.fromArray(SPECIES, w, p + LANES);
            FloatVector wg = FloatVector.fromArray(SPECIES, w, p + 2 * LANES);
            FloatVector wo = FloatVector.fromArray(SPECIES, w, p + 3 * LANES);
            FloatVector v = FloatVector.broadcast(SPECIES, x[j]);
            i0 = v.fma(wi, i0);
            f0 = v.fma(wf, f0);
            g0 = v.fma(wg, g0);
            o0 = v.fma(wo, o0);
            v = FloatVector.broadcast(SPECIES, x[j + 1]);
            i1 = v.fma(wi, i1);
            f1 = v.fma(wf, f1);
            g1 = v.fma(wg, g1);
            o1 = v.fma(wo, o1);
            v = FloatVector.broadcast(SPECIES, x[j + 2]);
            i2 = v.fma(wi, i2);
            f2 = v.fma(wf, f2);
            g2 = v.fma(wg, g2);
            o2 = v.fma(wo, o2);
            v = FloatVector.broadcast(SPECIES, x[j + 3]);
            i3 = v.fma(wi, i3);
            f3 = v.fma(wf, f3);
            g3 = v.fma(wg, g3);
            o3 = v.fma(wo, o3);
            v = FloatVector.broadcast(SPECIES, x[j + 4]);
            i4 = v.fma(wi, i4);
            f4 = v.fma(wf, f4);
            g4 = v.fma(wg, g4);
            o4 = v.fma(wo, o4);
            v = FloatVector.broadcast(SPECIES, x[j + 5]);
            i5 = v.fma(wi, i5);
            f5 = v.fma(wf, f5);
            g5 = v.fma(wg, g5);
            o5 = v.fma(wo, o5);
        }
        i0.intoArray(a, 0);
        f0.intoArray(a, 6 * LANES);
        g0.intoArray(a, 12 * LANES);
        o0.intoArray(a, 18 * LANES);
        i1.intoArray(a, LANES);
        f1.intoArray(a, 7 * LANES);
        g1.intoArray(a, 13 * LANES);
        o1.intoArray(a, 19 * LANES);
        i2.intoArray(a, 2 * LANES);
        f2.intoArray(a, 8 * LANES);
        g2.intoArray(a, 14 * LANES);
        o2.intoArray(a, 20 * LANES);
        i3.intoArray(a, 3 * LANES);
        f3.intoArray(a, 9 * LANES);
        g3.intoArray(a, 15 * LANES);
        o3.intoArray(a, 21 * LANES);
        i4.intoArray(a, 4 * LANES);
        f4.intoArray(a, 10 * LANES);
        g4.intoArray(a, 16 * LANES);
        o4.intoArray(a, 22 * LANES);
        i5.intoArray(a, 5 * LANES);
        f5.intoArray(a, 11 * LANES);
        g5.intoArray(a, 17 * LANES);
        o5.intoArray(a, 23 * LANES);
    }

    /** Computes six rows of two gates, whose sums begin at {@code at}. */
    private static void half(float[] x, int panel, float[] w, int weights, int count, float[] a, int at) {
        FloatVector p0 = FloatVector.fromArray(SPECIES, a, at);
        FloatVector q0 = FloatVector.fromArray(SPECIES, a, at + 6 * LANES);
        FloatVector p1 = FloatVector.fromArray(SPECIES, a, at + LANES);
        FloatVector q1 = FloatVector.fromArray(SPECIES, a, at + 7 * LANES);
        FloatVector p2 = FloatVector.fromArray(SPECIES, a, at + 2 * LANES);
        FloatVector q2 = FloatVector.fromArray(SPECIES, a, at + 8 * LANES);
        FloatVector p3 = FloatVector.fromArray(SPECIES, a, at + 3 * LANES);
        FloatVector q3 = FloatVector.fromArray(SPECIES, a, at + 9 * LANES);
        FloatVector p4 = FloatVector.fromArray(SPECIES, a, at + 4 * LANES);
        FloatVector q4 = FloatVector.fromArray(SPECIES, a, at + 10 * LANES);
        FloatVector p5 = FloatVector.fromArray(SPECIES, a, at + 5 * LANES);
        FloatVector q5 = FloatVector.fromArray(SPECIES, a, at + 11 * LANES);
        for (int k = 0; k < count; k++) {
            int i = weights + k * WIDTH, j = panel + k * 6;
            FloatVector wp = FloatVector.fromArray(SPECIES, w, i);
            FloatVector wq = FloatVector.fromArray(SPECIES, w, i + LANES);
            FloatVector v = FloatVector.broadcast(SPECIES, x[j]);
            p0 = v.fma(wp, p0);
            q0 = v.fma(wq, q0);
            v = FloatVector.broadcast(SPECIES, x[j + 1]);
            p1 = v.fma(wp, p1);
            q1 = v.fma(wq, q1);
            v = FloatVector.broadcast(SPECIES, x[j + 2]);
            p2 = v.fma(wp, p2);
            q2 = v.fma(wq, q2);
            v = FloatVector.broadcast(SPECIES, x[j + 3]);
            p3 = v.fma(wp, p3);
            q3 = v.fma(wq, q3);
            v = FloatVector.broadcast(SPECIES, x[j + 4]);
            p4 = v.fma(wp, p4);
            q4 = v.fma(wq, q4);
            v = FloatVector.broadcast(SPECIES, x[j + 5]);
            p5 = v.fma(wp, p5);
            q5 = v.fma(wq, q5);
        }
        p0.intoArray(a, at);
        q0.intoArray(a, at + 6 * LANES);
        p1.intoArray(a, at + LANES);
        q1.intoArray(a, at + 7 * LANES);
        p2.intoArray(a, at + 2 * LANES);
        q2.intoArray(a, at + 8 * LANES);
        p3.intoArray(a, at + 3 * LANES);
        q3.intoArray(a, at + 9 * LANES);
        p4.intoArray(a, at + 4 * LANES);
        q4.intoArray(a, at + 10 * LANES);
        p5.intoArray(a, at + 5 * LANES);
        q5.intoArray(a, at + 11 * LANES);
    }

    private static void three(float[] x, int panel, float[] w, int weights, int count, float[] a) {
        FloatVector i0 = FloatVector.fromArray(SPECIES, a, 0);
        FloatVector f0 = FloatVector.fromArray(SPECIES, a, 3 * LANES);
        FloatVector g0 = FloatVector.fromArray(SPECIES, a, 6 * LANES);
        FloatVector o0 = FloatVector.fromArray(SPECIES, a, 9 * LANES);
        FloatVector i1 = FloatVector.fromArray(SPECIES, a, LANES);
        FloatVector f1 = FloatVector.fromArray(SPECIES, a, 4 * LANES);
        FloatVector g1 = FloatVector.fromArray(SPECIES, a, 7 * LANES);
        FloatVector o1 = FloatVector.fromArray(SPECIES, a, 10 * LANES);
        FloatVector i2 = FloatVector.fromArray(SPECIES, a, 2 * LANES);
        FloatVector f2 = FloatVector.fromArray(SPECIES, a, 5 * LANES);
        FloatVector g2 = FloatVector.fromArray(SPECIES, a, 8 * LANES);
        FloatVector o2 = FloatVector.fromArray(SPECIES, a, 11 * LANES);
        for (int k = 0; k < count; k++) {
            int p = weights + k * WIDTH, j = panel + k * 3;
            FloatVector wi = FloatVector.fromArray(SPECIES, w, p);
            FloatVector wf = FloatVector.fromArray(SPECIES, w, p + LANES);
            FloatVector wg = FloatVector.fromArray(SPECIES, w, p + 2 * LANES);
            FloatVector wo = FloatVector.fromArray(SPECIES, w, p + 3 * LANES);
            FloatVector v = FloatVector.broadcast(SPECIES, x[j]);
            i0 = v.fma(wi, i0);
            f0 = v.fma(wf, f0);
            g0 = v.fma(wg, g0);
            o0 = v.fma(wo, o0);
            v = FloatVector.broadcast(SPECIES, x[j + 1]);
            i1 = v.fma(wi, i1);
            f1 = v.fma(wf, f1);
            g1 = v.fma(wg, g1);
            o1 = v.fma(wo, o1);
            v = FloatVector.broadcast(SPECIES, x[j + 2]);
            i2 = v.fma(wi, i2);
            f2 = v.fma(wf, f2);
            g2 = v.fma(wg, g2);
            o2 = v.fma(wo, o2);
        }
        i0.intoArray(a, 0);
        f0.intoArray(a, 3 * LANES);
        g0.intoArray(a, 6 * LANES);
        o0.intoArray(a, 9 * LANES);
        i1.intoArray(a, LANES);
        f1.intoArray(a, 4 * LANES);
        g1.intoArray(a, 7 * LANES);
        o1.intoArray(a, 10 * LANES);
        i2.intoArray(a, 2 * LANES);
        f2.intoArray(a, 5 * LANES);
        g2.intoArray(a, 8 * LANES);
        o2.intoArray(a, 11 * LANES);
    }

    private static void two(float[] x, int panel, float[] w, int weights, int count, float[] a) {
        FloatVector i0 = FloatVector.fromArray(SPECIES, a, 0);
        FloatVector f0 = FloatVector.fromArray(SPECIES, a, 2 * LANES);
        FloatVector g0 = FloatVector.fromArray(SPECIES, a, 4 * LANES);
        FloatVector o0 = FloatVector.fromArray(SPECIES, a, 6 * LANES);
        FloatVector i1 = FloatVector.fromArray(SPECIES, a, LANES);
        FloatVector f1 = FloatVector.fromArray(SPECIES, a, 3 * LANES);
        FloatVector g1 = FloatVector.fromArray(SPECIES, a, 5 * LANES);
        FloatVector o1 = FloatVector.fromArray(SPECIES, a, 7 * LANES);
        for (int k = 0; k < count; k++) {
            int p = weights + k * WIDTH, j = panel + k * 2;
            FloatVector wi = FloatVector.fromArray(SPECIES, w, p);
            FloatVector wf = FloatVector.fromArray(SPECIES, w, p + LANES);
            FloatVector wg = FloatVector.fromArray(SPECIES, w, p + 2 * LANES);
            FloatVector wo = FloatVector.fromArray(SPECIES, w, p + 3 * LANES);
            FloatVector v = FloatVector.broadcast(SPECIES, x[j]);
            i0 = v.fma(wi, i0);
            f0 = v.fma(wf, f0);
            g0 = v.fma(wg, g0);
            o0 = v.fma(wo, o0);
            v = FloatVector.broadcast(SPECIES, x[j + 1]);
            i1 = v.fma(wi, i1);
            f1 = v.fma(wf, f1);
            g1 = v.fma(wg, g1);
            o1 = v.fma(wo, o1);
        }
        i0.intoArray(a, 0);
        f0.intoArray(a, 2 * LANES);
        g0.intoArray(a, 4 * LANES);
        o0.intoArray(a, 6 * LANES);
        i1.intoArray(a, LANES);
        f1.intoArray(a, 3 * LANES);
        g1.intoArray(a, 5 * LANES);
        o1.intoArray(a, 7 * LANES);
    }

    private static void one(float[] x, int panel, float[] w, int weights, int count, float[] a) {
        FloatVector i0 = FloatVector.fromArray(SPECIES, a, 0);
        FloatVector f0 = FloatVector.fromArray(SPECIES, a, LANES);
        FloatVector g0 = FloatVector.fromArray(SPECIES, a, 2 * LANES);
        FloatVector o0 = FloatVector.fromArray(SPECIES, a, 3 * LANES);
        for (int k = 0; k < count; k++) {
            int p = weights + k * WIDTH;
            FloatVector wi = FloatVector.fromArray(SPECIES, w, p);
            FloatVector wf = FloatVector.fromArray(SPECIES, w, p + LANES);
            FloatVector wg = FloatVector.fromArray(SPECIES, w, p + 2 * LANES);
            FloatVector wo = FloatVector.fromArray(SPECIES, w, p + 3 * LANES);
            FloatVector v = FloatVector.broadcast(SPECIES, x[panel + k]);
            i0 = v.fma(wi, i0);
            f0 = v.fma(wf, f0);
            g0 = v.fma(wg, g0);
            o0 = v.fma(wo, o0);
        }
        i0.intoArray(a, 0);
        f0.intoArray(a, LANES);
        g0.intoArray(a, 2 * LANES);
        o0.intoArray(a, 3 * LANES);
    }
}

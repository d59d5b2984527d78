package io.github.cellfuse.jvm;

/**
 * The cell update of {@code kernels/lstm_cell.cl} for the units of a block of one row.
 *
 * <p>A full wide block uses {@link ActivationBlock}: {@link Activations} split into loops over whole arrays. HotSpot's
 * C2 compiles the loops without integer operations, which are most of the work, to vector code; short scalar loops do
 * the operations on bits. For each value the operations and their order are those of {@link Activations}, so the bits
 * are the same. Belongs to one task.
 */
final class CellBlock {
    private static final int WIDE = GateProduct.WIDE;

    private final float[] i = new float[WIDE];
    private final float[] f = new float[WIDE];
    private final float[] g = new float[WIDE];
    private final float[] o = new float[WIDE];
    private final float[] cell = new float[WIDE];
    private final float[] hidden = new float[WIDE];
    private final ActivationBlock activations = new ActivationBlock();

    /**
     * Computes {@code c' = f⊙c + i⊙g} and {@code h' = o⊙tanh(c')}.
     *
     * @param a pre-activations {@code [4·width]}, gates i, f, g, o
     * @param width units of the block, padding included
     * @param units units to update
     * @param c cell states, updated in place from {@code cOffset} on
     * @param h receives the hidden states from {@code hOffset} on
     */
    void update(float[] a, int width, int units, float[] c, int cOffset, float[] h, int hOffset) {
        if (width == WIDE) {
            updateWide(a, units, c, cOffset, h, hOffset);
            return;
        }
        for (int u = 0; u < units; u++) {
            float input = Activations.sigmoid(a[u]);
            float forget = Activations.sigmoid(a[width + u]);
            float candidate = Activations.tanh(a[2 * width + u]);
            float output = Activations.sigmoid(a[3 * width + u]);
            float next = Math.fma(forget, c[cOffset + u], input * candidate);
            c[cOffset + u] = next;
            h[hOffset + u] = output * Activations.tanh(next);
        }
    }

    private void updateWide(float[] a, int units, float[] c, int cOffset, float[] h, int hOffset) {
        System.arraycopy(a, 0, i, 0, WIDE);
        System.arraycopy(a, WIDE, f, 0, WIDE);
        System.arraycopy(a, 2 * WIDE, g, 0, WIDE);
        System.arraycopy(a, 3 * WIDE, o, 0, WIDE);
        System.arraycopy(c, cOffset, cell, 0, units);
        activations.sigmoid(i);
        activations.sigmoid(f);
        activations.tanh(g, g);
        activations.sigmoid(o);
        combine(cell, f, i, g);
        activations.tanh(cell, hidden);
        multiply(hidden, o);
        System.arraycopy(cell, 0, c, cOffset, units);
        System.arraycopy(hidden, 0, h, hOffset, units);
    }

    private static void combine(float[] c, float[] f, float[] i, float[] g) {
        for (int j = 0; j < WIDE; j++) {
            c[j] = Math.fma(f[j], c[j], i[j] * g[j]);
        }
    }

    private static void multiply(float[] h, float[] o) {
        for (int j = 0; j < WIDE; j++) {
            h[j] = o[j] * h[j];
        }
    }
}

package io.github.cellfuse.jvm;

import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmWeights;

/**
 * The cell update of {@code kernels/lstm_cell.cl} for peepholes and for other than the ordinary equations, unit by
 * unit: the same operations in the same order. Immutable, and thread safe without a recorder.
 */
final class GeneralCell {
    private final CellEquations equations;
    private final float[] peepholes; // null: absent
    private final int hiddenSize;
    private final CellRecorder recorder; // null: nobody wants to know

    private GeneralCell(LstmWeights weights, CellRecorder recorder) {
        this.recorder = recorder;
        equations = weights.equations();
        peepholes = weights.peepholes().orElse(null);
        hiddenSize = weights.hiddenSize();
    }

    /** Returns the cell of {@code weights}; null if it is an ordinary one, for which there are faster classes. */
    static GeneralCell of(LstmWeights weights) {
        return weights.equations().isOrdinary() && !weights.hasPeepholes() ? null : new GeneralCell(weights, null);
    }

    /** Returns the cell of {@code weights}, ordinary or not, which also says what it computes. */
    static GeneralCell recorded(LstmWeights weights, CellRecorder recorder) {
        return new GeneralCell(weights, recorder);
    }

    /**
     * Updates the units of a block.
     *
     * @param a pre-activations; those of gate q, in the order i, f, g, o, start at {@code at + q·stride}
     * @param c cell states {@code [rows][H]}, updated in place
     * @param row the row
     * @param m receives {@code o⊙hidden(c')}, starting at {@code mOffset}
     */
    void update(UnitBlock block, float[] a, int at, int stride, float[][] c, int row, float[] m, int mOffset) {
        float[] cells = c[row];
        for (int k = 0; k < block.units(); k++) {
            int u = block.firstUnit() + k;
            float ai = peep(LstmWeights.INPUT_GATE, u, cells[u], a[at + k]);
            float af = peep(LstmWeights.FORGET_GATE, u, cells[u], a[at + stride + k]);
            float input = Activations.apply(equations.gate(), clipped(ai));
            float forget = equations.coupled() ? 1.0f - input : Activations.apply(equations.gate(), clipped(af));
            float candidate = Activations.apply(equations.candidate(), clipped(a[at + 2 * stride + k]));
            float next = Math.fma(forget, cells[u], input * candidate);
            float ao = peep(LAST, u, next, a[at + 3 * stride + k]);
            float output = Activations.apply(equations.gate(), clipped(ao));
            cells[u] = next;
            float hidden = output * Activations.apply(equations.hidden(), next);
            m[mOffset + k] = hidden;
            if (recorder != null) {
                recorder.put(row, u, a, at + k, stride, input, forget, candidate, next, output, hidden);
            }
        }
    }

    /** Position of the output gate among the gates with peepholes. */
    private static final int LAST = LstmWeights.PEEPHOLES - 1;

    private float peep(int gate, int unit, float c, float a) {
        return peepholes == null ? a : Math.fma(peepholes[gate * hiddenSize + unit], c, a);
    }

    private float clipped(float a) {
        float clip = equations.clip();
        a = a > clip ? clip : a;
        return a < -clip ? -clip : a;
    }
}

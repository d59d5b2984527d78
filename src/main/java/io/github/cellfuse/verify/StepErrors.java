package io.github.cellfuse.verify;

import static io.github.cellfuse.LstmWeights.GATES;

import io.github.cellfuse.spi.CellValue;

/**
 * The errors of everything that one step of a cell computes.
 *
 * @param a the pre-activations {@code [4H]} in double precision, without peepholes
 * @param da their errors
 * @param i of the input gate {@code [H]}
 * @param f of the forget gate {@code [H]}
 * @param g of the candidate memory {@code [H]}
 * @param o of the output gate {@code [H]}
 * @param c of the cell state {@code [H]}
 * @param m of {@code o⊙tanh(c)}, {@code [H]}
 * @param h of the hidden state {@code [P]}
 */
record StepErrors(
        double[] a,
        TensorErrors da,
        TensorErrors i,
        TensorErrors f,
        TensorErrors g,
        TensorErrors o,
        TensorErrors c,
        TensorErrors m,
        TensorErrors h) {

    /** Returns errors of zero; units of the same group will have the same errors. */
    static StepErrors none(int units, int[] groups) {
        TensorErrors m = TensorErrors.none(units, groups);
        return new StepErrors(
                new double[GATES * units],
                TensorErrors.none(GATES * units),
                TensorErrors.none(units),
                TensorErrors.none(units),
                TensorErrors.none(units),
                TensorErrors.none(units),
                TensorErrors.none(units),
                m,
                m);
    }

    /** Sets the errors of one unit. */
    void set(int unit, CellError.Unit worst, CellError.Unit probable) {
        i.set(unit, worst.i(), probable.i());
        f.set(unit, worst.f(), probable.f());
        g.set(unit, worst.g(), probable.g());
        o.set(unit, worst.o(), probable.o());
        c.set(unit, worst.c(), probable.c());
        m.set(unit, worst.m(), probable.m());
    }

    /** Returns the same errors with those of a projected hidden state. */
    StepErrors withHidden(TensorErrors projected) {
        return new StepErrors(a, da, i, f, g, o, c, m, projected);
    }

    /** Returns the errors of a quantity; those of a pre-activation are part of {@link #da}. */
    TensorErrors of(CellValue quantity) {
        return switch (quantity) {
            case INPUT_PREACTIVATION, FORGET_PREACTIVATION, CANDIDATE_PREACTIVATION, OUTPUT_PREACTIVATION -> da;
            case INPUT_GATE -> i;
            case FORGET_GATE -> f;
            case CANDIDATE -> g;
            case OUTPUT_GATE -> o;
            case CELL_STATE -> c;
            case UNPROJECTED -> m;
            case HIDDEN_STATE -> h;
        };
    }
}

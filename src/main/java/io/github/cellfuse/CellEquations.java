package io.github.cellfuse;

import java.util.Objects;

/**
 * What becomes of the pre-activations {@code a} of a cell. Peepholes come before it ({@link LstmWeights#peepholes}), so with a {@code clip}
 *
 * <pre>
 *   i = gate(clip(a_i))        f = gate(clip(a_f)), or 1 - i when coupled
 *   g = candidate(clip(a_g))   o = gate(clip(a_o))
 *   c' = f⊙c + i⊙g             h' = o⊙hidden(c')
 * </pre>
 *
 * as the ONNX operator LSTM has them, whose functions f, g and h are {@code gate}, {@code candidate} and {@code hidden}.
 *
 * @param gate the function of the three gates; sigmoid in an ordinary LSTM
 * @param candidate the function of the candidate memory; tanh in an ordinary LSTM
 * @param hidden the function of the cell state on its way to the hidden state; tanh in an ordinary LSTM
 * @param clip pre-activations are kept within ±clip; {@link #NO_CLIP} where they are left alone
 * @param coupled whether the forget gate is 1 - i, and has no weights that count (ONNX: {@code input_forget})
 */
public record CellEquations(Activation gate, Activation candidate, Activation hidden, float clip, boolean coupled) {
    /** The {@link #clip} that keeps nothing back. */
    public static final float NO_CLIP = Float.POSITIVE_INFINITY;

    /** The ordinary LSTM: sigmoid gates, tanh of the candidate and of the cell state. */
    public static final CellEquations ORDINARY =
            new CellEquations(Activation.SIGMOID, Activation.TANH, Activation.TANH, NO_CLIP, false);

    public CellEquations {
        Objects.requireNonNull(gate, "gate");
        Objects.requireNonNull(candidate, "candidate");
        Objects.requireNonNull(hidden, "hidden");
        if (!(clip > 0)) {
            throw new InvalidInputException("clip: expected more than 0, found " + clip);
        }
    }

    /** Whether these are the equations of an ordinary LSTM. */
    public boolean isOrdinary() {
        return equals(ORDINARY);
    }

    /** Whether pre-activations are clipped. */
    public boolean clips() {
        return clip != NO_CLIP;
    }

    /** The same equations with another clip. */
    public CellEquations withClip(float clip) {
        return new CellEquations(gate, candidate, hidden, clip, coupled);
    }

    /** The same equations with the forget gate coupled to the input gate, or not. */
    public CellEquations withCoupled(boolean coupled) {
        return new CellEquations(gate, candidate, hidden, clip, coupled);
    }
}

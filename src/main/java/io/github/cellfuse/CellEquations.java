package io.github.cellfuse;

import java.util.Objects;

/**
 * The equations that turn the pre-activations {@code a} of a cell into its next states. Peepholes are added to
 * {@code a} beforehand ({@link LstmWeights#peepholes}):
 *
 * <pre>
 *   i = gate(clip(a_i))        f = gate(clip(a_f)), or 1 - i if coupled
 *   g = candidate(clip(a_g))   o = gate(clip(a_o))
 *   c' = f⊙c + i⊙g             h' = o⊙hidden(c')
 * </pre>
 *
 * These are the equations of the ONNX operator LSTM, which calls the functions {@code gate}, {@code candidate} and
 * {@code hidden} f, g and h.
 *
 * @param gate the function of the three gates; sigmoid in an ordinary LSTM
 * @param candidate the function of the candidate memory; tanh in an ordinary LSTM
 * @param hidden the function of the cell state that gives the hidden state; tanh in an ordinary LSTM
 * @param clip pre-activations are limited to ±clip, which is more than 0; {@link #NO_CLIP} for no limit
 * @param coupled whether the forget gate is {@code 1 - i}; its weights are then ignored (ONNX: {@code input_forget})
 */
public record CellEquations(Activation gate, Activation candidate, Activation hidden, float clip, boolean coupled) {
    /** The {@link #clip} that doesn't limit anything. */
    public static final float NO_CLIP = Float.POSITIVE_INFINITY;

    /** The ordinary LSTM: sigmoid gates, tanh for the candidate and for the cell state, no clip. */
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

    /** Returns whether these are the equations of an ordinary LSTM. */
    public boolean isOrdinary() {
        return equals(ORDINARY);
    }

    /** Returns whether pre-activations are clipped. */
    public boolean clips() {
        return clip != NO_CLIP;
    }

    /** Returns the same equations with another clip. */
    public CellEquations withClip(float clip) {
        return new CellEquations(gate, candidate, hidden, clip, coupled);
    }

    /** Returns the same equations with the forget gate coupled to the input gate, or not. */
    public CellEquations withCoupled(boolean coupled) {
        return new CellEquations(gate, candidate, hidden, clip, coupled);
    }
}

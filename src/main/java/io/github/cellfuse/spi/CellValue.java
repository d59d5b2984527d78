package io.github.cellfuse.spi;

import io.github.cellfuse.LstmLayer;

/** What a cell computes in a step, in this order. {@link CellTrace} has a value of each for every unit. */
public enum CellValue {
    /** The products of the input gate {@code W·x + R·h + b}, before a peephole and a clip. */
    INPUT_PREACTIVATION("a_i"),
    /** The products of the forget gate, likewise. */
    FORGET_PREACTIVATION("a_f"),
    /** The products of the candidate memory, likewise. */
    CANDIDATE_PREACTIVATION("a_g"),
    /** The products of the output gate, likewise. */
    OUTPUT_PREACTIVATION("a_o"),
    INPUT_GATE("i"),
    FORGET_GATE("f"),
    /** The candidate memory, also written C̃. */
    CANDIDATE("g"),
    /** The cell state after the step. */
    CELL_STATE("c"),
    OUTPUT_GATE("o"),
    /** {@code o⊙tanh(c)}, the hidden state before a projection. */
    UNPROJECTED("m"),
    /** The hidden state after the step, as it is in memory: {@code P} values; {@code m} without a projection. */
    HIDDEN_STATE("h");

    private final String symbol;

    CellValue(String symbol) {
        this.symbol = symbol;
    }

    /** Returns whether this is one of the four pre-activations. */
    public boolean isPreactivation() {
        return ordinal() <= OUTPUT_PREACTIVATION.ordinal();
    }

    /** Returns how many values of it each row has: {@code P} hidden states, {@code H} of everything else. */
    public int width(LstmLayer layer) {
        return this == HIDDEN_STATE ? layer.stateSize() : layer.hiddenSize();
    }

    /** Returns the symbol of the equations, such as {@code a_i}. */
    @Override
    public String toString() {
        return symbol;
    }
}

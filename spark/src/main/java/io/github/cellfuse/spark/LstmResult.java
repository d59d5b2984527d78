package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import java.util.Arrays;

/** What a column receives of an LSTM's results. */
enum LstmResult {
    /** The hidden state of the top layer after the last valid step, {@code [D·P]}: y there; zeros without a step. */
    LAST("last"),
    /** The hidden states of the top layer in all steps, {@code [T,D·P]}. */
    Y("y"),
    /** The last hidden states of all layers, {@code [L·D·P]}. */
    H_N("h_n"),
    /** The last cell states of all layers, {@code [L·D·H]}. */
    C_N("c_n");

    private final String label;

    LstmResult(String label) {
        this.label = label;
    }

    static LstmResult parse(String name) {
        return Arrays.stream(values())
                .filter(value -> value.label.equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("output: expected last, y, h_n or c_n, found '" + name + "'"));
    }

    @Override
    public String toString() {
        return label;
    }
}

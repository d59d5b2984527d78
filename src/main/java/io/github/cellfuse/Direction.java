package io.github.cellfuse;

/** The direction in which a layer reads its sequences. */
public enum Direction {
    /** From the first time step to the last. */
    FORWARD,
    /** From the last valid time step to the first; outputs keep the original time order. */
    REVERSE,
    /** Both directions; the output of a step is {@code [forward P | reverse P]}. */
    BIDIRECTIONAL;

    /** Returns the number of directions {@code D}: 1 or 2. */
    public int count() {
        return this == BIDIRECTIONAL ? 2 : 1;
    }

    /** Returns whether direction {@code d} (0-based) of a layer runs from the end of its sequences. */
    public boolean isReverse(int d) {
        return this == REVERSE || d == 1;
    }
}

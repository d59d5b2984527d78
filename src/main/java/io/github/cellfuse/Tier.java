package io.github.cellfuse;

/** What the results of a device can be relied on for. */
public enum Tier {
    /** Obeys the numerical contract: the same bits as every other exact device. */
    EXACT,
    /**
     * Lacks a part of float32 that the contract needs, or failed the self-test at opening: only the error bound holds.
     */
    TOLERANCE,
    /** Computes in double precision: the standard for the errors of the other devices. */
    REFERENCE
}

package io.github.cellfuse;

/** What a device's results may be held to. */
public enum Tier {
    /** Obeys the numerical contract: the same bits as every other exact device. */
    EXACT,
    /** Lacks a part of float32 that the contract needs, or failed the opening self-test: held to the error bound alone. */
    TOLERANCE,
    /** Computes in double precision: the judge of the others' errors. */
    REFERENCE
}

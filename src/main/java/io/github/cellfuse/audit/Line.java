package io.github.cellfuse.audit;

/** A line of a listing that means something: a place to jump to, or an instruction. */
sealed interface Line permits Instruction, Line.Label {
    /** A place to jump to. */
    record Label(String name) implements Line {}
}

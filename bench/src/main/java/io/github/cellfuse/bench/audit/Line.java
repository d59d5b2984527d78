package io.github.cellfuse.bench.audit;

/** A line of a listing: a label or an instruction. */
sealed interface Line permits Instruction, Line.Label {
    /** The target of a jump. */
    record Label(String name) implements Line {}
}

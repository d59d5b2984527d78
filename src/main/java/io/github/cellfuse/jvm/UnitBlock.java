package io.github.cellfuse.jvm;

/** A block of neighboring units whose weights are packed together. */
interface UnitBlock {
    /** Returns the first unit. */
    int firstUnit();

    /** Returns the number of units; the block's other lanes are padding. */
    int units();
}

package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;

/**
 * One way to compute a step: a layout of the weights and the loops over it. All ways give the same bits. Thread safe.
 */
interface Arithmetic {
    /** Packs the weights of one direction of one layer. */
    PackedWeights pack(LstmWeights weights);

    /** Returns the tile for {@code units} units, for messages. */
    String tile(int units);

    /** Returns what it computes with, for messages. */
    String name();
}

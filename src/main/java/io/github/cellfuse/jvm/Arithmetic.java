package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;

/** One way to compute a step: a layout of the weights and the loops over it. All ways give the same bits. Thread safe. */
interface Arithmetic {
    /** Lays out the weights of one direction of one layer. */
    PackedWeights pack(LstmWeights weights);

    /** Its tile for {@code units} units, for the log. */
    String tile(int units);

    /** What it computes with, for the log. */
    String name();
}

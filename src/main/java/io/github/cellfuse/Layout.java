package io.github.cellfuse;

/** The order of the two outer dimensions of a batch of sequences. */
public enum Layout {
    /** {@code [N,T,F]}: one whole sequence after another (PyTorch's {@code batch_first=True}). */
    BATCH_MAJOR,
    /** {@code [T,N,F]}: one whole time step after another (PyTorch's default). */
    TIME_MAJOR
}

package io.github.cellfuse.verify;

/** The agreement of the time steps {@code first} to {@code last}, both included. */
public record StepRange(int first, int last, Agreement agreement) {}

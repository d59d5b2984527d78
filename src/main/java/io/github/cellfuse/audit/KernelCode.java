package io.github.cellfuse.audit;

/** A compiled kernel: its instructions, and what it needs. */
record KernelCode(ControlFlow flow, Resources resources) {}

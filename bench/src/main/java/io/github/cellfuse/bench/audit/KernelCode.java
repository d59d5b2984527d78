package io.github.cellfuse.bench.audit;

/** The instructions of a compiled kernel, and the resources that it needs. */
record KernelCode(ControlFlow flow, Resources resources) {}

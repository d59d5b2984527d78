/**
 * Compiles the kernels for GPUs that aren't present, and checks limits on the result: registers, spills, local memory
 * and the instructions of the inner loop. {@code bench/audit-kernels} runs it; {@code docs/lab/gpu-audit.md} has the
 * results.
 */
package io.github.cellfuse.bench.audit;

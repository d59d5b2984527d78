/**
 * Compiles the kernels for GPUs that aren't present, and checks limits on the result: registers, spills, local memory,
 * the instructions of the inner loop, and which global memory the lanes of a warp ask for together.
 * {@code bench/audit-kernels} runs it; {@code docs/lab/gpu-audit.md} has the results.
 */
package io.github.cellfuse.bench.audit;

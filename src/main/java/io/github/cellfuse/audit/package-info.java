/**
 * What compilers make of the kernels for GPUs that nobody has at hand: registers, spills, the instructions of the inner loop, and
 * how much of the device's multiply-add peak these allow. {@code bin/audit-kernels} runs it; {@code docs/gpu-audit.md} has the results.
 */
package io.github.cellfuse.audit;

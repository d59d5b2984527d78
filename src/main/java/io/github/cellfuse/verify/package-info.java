/**
 * Says whether a device computes what it should: by bits against the {@code java} twin, and by error against the double-precision
 * reference, where the allowed error is computed from the model and the data ({@code docs/verify.md} derives it).
 *
 * <p>{@link io.github.cellfuse.verify.Verifier} runs the comparison, {@link io.github.cellfuse.verify.VerifyReport} is its result.
 */
package io.github.cellfuse.verify;

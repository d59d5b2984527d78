/**
 * Checks whether a device computes correctly: by bits against the Java engine, and by error against the
 * double-precision reference. The allowed error is computed from the model and the data ({@code docs/verify.md} derives
 * it).
 *
 * <p>{@link io.github.cellfuse.verify.Verifier} runs the comparison, {@link io.github.cellfuse.verify.VerifyReport} is
 * its result.
 */
package io.github.cellfuse.verify;

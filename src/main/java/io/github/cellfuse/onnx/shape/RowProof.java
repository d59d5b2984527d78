package io.github.cellfuse.onnx.shape;

import java.util.Optional;

/**
 * Whether the rows of a graph's inputs can be computed in pieces. Immutable and thread safe.
 *
 * @param axes the axes of the rows; empty if there is no proof that rows don't depend on each other
 * @param reason what ended the proof, as a sentence without a period; empty if there is a proof
 */
public record RowProof(Optional<RowAxes> axes, String reason) {}
